// Any bytes as a CSV file, whole and cut in two: the same records. The first byte picks the cut and the program; after a NUL
// the rest is a program of its own.
#include <cstdlib>

#include "feed/csv_source.h"

namespace {
class BytesSink : public tw::feed::RecordSink {
 public:
  bool Push(const void* record, std::size_t size) override {
    bytes.append(static_cast<const char*>(record), size);
    return true;
  }
  std::string bytes;
};

constexpr const char* kPrograms[] = {
    R"({"kind":"trade","symbol":"X","time":{"columns":[0,1],"format":"%m/%d/%Y %H:%M:%S.%f","zone":[[0,39600],[1396108800,36000]]},
        "fields":{"price":{"column":2},"size":{"column":3},"conditions":{"column":4,"hex":true}},"filter":{"column":5,"op":"eq","values":[""]}})",
    R"({"kind":"quote_bar","symbol":"X","time":{"columns":[0],"unitExponent":-3,"sinceMidnight":true,"dateDays":15985},"intervalMs":1000,
        "fields":{"bid_open":{"column":1,"scale":4},"bid_high":{"column":2},"bid_low":{"column":3},"bid_close":{"column":4,"round":true},
        "ask_open":{"column":5,"zeroIsNone":true},"ask_high":{"column":6},"ask_low":{"column":7},"ask_close":{"column":8}}})",
    R"({"kind":"quote","header":true,"symbolColumn":"s","time":{"columns":["t"],"format":"%Y-%m-%d %H:%M:%S.%f%z"},
        "fields":{"bid":{"column":"b"},"ask":{"column":"a"}},"filter":{"any":[{"column":"b","op":"gt","values":["0"]}]}})"};

std::string Run(const char* program, std::span<const std::uint8_t> bytes, std::size_t cut) {
  static tw::InstrumentTable table;
  static const tw::Instrument* instrument = table.Add({.id = 0x0d000001, .price_exponent = -6, .size_exponent = 0, .symbol = "X"});
  BytesSink sink;
  tw::feed::Session session({.epoch = 1, .has_receive_times = false}, &sink);
  session.AddInstrument(instrument, "X", 0);
  std::string error;
  auto source = tw::feed::MakeCsvSource(program, &session, &error);
  if (source == nullptr) std::abort();
  source->Feed(bytes.first(cut), false);
  source->Feed(bytes.subspan(cut), true);
  return sink.bytes;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  if (data[0] == 0) {
    std::string error;
    BytesSink sink;
    tw::feed::Session session({.epoch = 1, .has_receive_times = false}, &sink);
    tw::feed::MakeCsvSource({reinterpret_cast<const char*>(data + 1), size - 1}, &session, &error);
    return 0;
  }
  const std::span<const std::uint8_t> bytes(data + 1, size - 1);
  const char* program = kPrograms[data[0] % 3];
  if (Run(program, bytes, 0) != Run(program, bytes, bytes.empty() ? 0 : data[0] % bytes.size())) std::abort();
  return 0;
}
