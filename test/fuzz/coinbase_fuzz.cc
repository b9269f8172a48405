// Coinbase: any bytes. What the scanner takes, the general parser reads equal; the feed keeps its promises.
#include <algorithm>

#include "decode/coinbase.h"
#include "json_venue_fuzz.h"

namespace tw::decode {
namespace {

bool Same(const CoinbaseDecoder& a, const CoinbaseDecoder& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case CoinbaseKind::kMatch:
    case CoinbaseKind::kLastMatch: return a.match() == b.match();
    case CoinbaseKind::kTicker: return a.ticker() == b.ticker();
    case CoinbaseKind::kHeartbeat: return a.heartbeat() == b.heartbeat();
    case CoinbaseKind::kSnapshot:
      return a.level2() == b.level2() && std::ranges::equal(a.bids(), b.bids()) && std::ranges::equal(a.asks(), b.asks());
    case CoinbaseKind::kL2Update: return a.level2() == b.level2() && std::ranges::equal(a.changes(), b.changes());
    default: return true;
  }
}

}  // namespace
}  // namespace tw::decode

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static tw::decode::CoinbaseDecoder scan, parse;
  tw::feed::FuzzSession session("coinbase");
  tw::feed::ForEachFrame(data, size, [&](std::string_view frame, std::size_t n) {
    const std::vector<std::uint8_t> bytes(frame.begin(), frame.end());
    if (scan.Scan(bytes)) {
      TW_FUZZ_CHECK(parse.Parse(bytes));
      TW_FUZZ_CHECK(tw::decode::Same(scan, parse));
    }
    session.Frame(frame, n);
  });
  return 0;
}
