// Any bytes into the Kite decoder, its feed and its description; the fast byte swap against the scalar one.
#include <cstdlib>
#include <cstring>

#include "decode/describe.h"
#include "decode/kite.h"
#include "feed/venue_feed.h"

namespace {
class NullSink : public tw::feed::RecordSink {
 public:
  bool Push(const void*, std::size_t) override { return true; }
};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static tw::InstrumentTable table;
  static const tw::Instrument* instrument = table.Add({.id = 0x06000001, .price_exponent = -4, .size_exponent = 0, .symbol = "INFY"});
  const std::span<const std::uint8_t> bytes(data, size);
  tw::ReasonCounters counts;
  std::string text;
  tw::decode::AppendPacketsJson("kite", bytes, false, &text, &counts);
  tw::decode::AppendPacketsJson("kite", bytes, true, &text, &counts);
  NullSink sink;
  tw::feed::Session session({.epoch = 1, .sampled = true}, &sink);
  session.AddInstrument(instrument, "", size >= 8 ? tw::decode::ReadBig32(data + 4) : 1);
  auto feed = tw::feed::MakeVenueFeed("kite", {}, &session);
  session.BeginFrame(1'700'000'000'000'000'000);
  feed->OnFrame(bytes, tw::feed::FrameKind::kBinary, "");
  std::uint32_t fast[48], scalar[48];
  const std::size_t words = std::min<std::size_t>(size / 4, 46);
  tw::decode::SwapWordsFast(data, fast, words);
  tw::decode::SwapWordsScalar(data, scalar, words);
  if (std::memcmp(fast, scalar, words * 4) != 0) std::abort();
  return 0;
}
