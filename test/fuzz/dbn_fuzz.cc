// Any bytes into the DBN source, whole and cut in two, and into its description: the same records either way.
#include <cstdlib>

#include "decode/describe.h"
#include "feed/dbn_source.h"
#include "wire/record_hash.h"

namespace {
class HashSink : public tw::feed::RecordSink {
 public:
  bool Push(const void* record, std::size_t size) override {
    bytes.append(static_cast<const char*>(record), size);
    return true;
  }
  std::string bytes;
};

tw::feed::FeedInstrument* ListOne(void* context, std::string_view) {
  static tw::InstrumentTable table;
  static const tw::Instrument* instrument = table.Add({.id = 0x11000001, .price_exponent = -9, .size_exponent = 0, .symbol = "ESH4"});
  return static_cast<tw::feed::Session*>(context)->AddInstrument(instrument, "", 0);
}

std::string Run(std::span<const std::uint8_t> bytes, std::size_t cut) {
  HashSink sink;
  tw::feed::Session session({.epoch = 1}, &sink);
  session.set_list_on_sight(ListOne, &session);
  auto source = tw::feed::MakeDbnSource({.depth_levels = 10, .bars = true}, &session);
  source->Feed(bytes.first(cut), false);
  source->Feed(bytes.subspan(cut), true);
  return sink.bytes;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::span<const std::uint8_t> bytes(data + 1, size - 1);
  tw::ReasonCounters counts;
  std::string text;
  tw::decode::AppendPacketsJson("dbn", bytes, false, &text, &counts);
  if (Run(bytes, 0) != Run(bytes, bytes.empty() ? 0 : data[0] % bytes.size())) std::abort();
  return 0;
}
