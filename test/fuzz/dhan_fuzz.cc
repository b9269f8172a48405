// Any bytes into the Dhan decoder, its feed and its description.
#include "decode/describe.h"
#include "decode/dhan.h"
#include "feed/venue_feed.h"

namespace {
class NullSink : public tw::feed::RecordSink {
 public:
  bool Push(const void*, std::size_t) override { return true; }
};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static tw::InstrumentTable table;
  static const tw::Instrument* instrument = table.Add({.id = 0x06000001, .price_exponent = -4, .size_exponent = 0, .symbol = "RELIANCE"});
  const std::span<const std::uint8_t> bytes(data, size);
  tw::ReasonCounters counts;
  std::string text;
  tw::decode::AppendPacketsJson("dhan", bytes, false, &text, &counts);
  tw::decode::AppendPacketsJson("dhan", bytes, true, &text, &counts);
  NullSink sink;
  tw::feed::Session session({.epoch = 1, .sampled = true}, &sink);
  if (size >= 8) session.AddInstrument(instrument, "", (static_cast<std::uint64_t>(data[3]) << 32) | tw::decode::ReadLittle<std::uint32_t>(data + 4));
  auto feed = tw::feed::MakeVenueFeed("dhan", {}, &session);
  session.BeginFrame(1'700'000'000'000'000'000);
  feed->OnFrame(bytes, tw::feed::FrameKind::kBinary, "");
  return 0;
}
