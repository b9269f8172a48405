// Kraken v2: any bytes. What the scanner takes, the general parser reads equal; the feed keeps its promises.
#include <algorithm>

#include "decode/kraken.h"
#include "json_venue_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static tw::decode::KrakenDecoder scan, parse;
  tw::feed::FuzzSession session("kraken");
  tw::feed::ForEachFrame(data, size, [&](std::string_view frame, std::size_t n) {
    const std::vector<std::uint8_t> bytes(frame.begin(), frame.end());
    if (scan.Scan(bytes)) {
      TW_FUZZ_CHECK(parse.Parse(bytes));
      TW_FUZZ_CHECK(scan.kind() == parse.kind() && scan.snapshot() == parse.snapshot());
      TW_FUZZ_CHECK(std::ranges::equal(scan.books(), parse.books()) && std::ranges::equal(scan.levels(), parse.levels()));
      TW_FUZZ_CHECK(std::ranges::equal(scan.trades(), parse.trades()));
    }
    session.Frame(frame, n);
  });
  return 0;
}
