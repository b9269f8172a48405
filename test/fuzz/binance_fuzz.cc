// Binance: any bytes. What the scanner takes, the general parser reads equal; the feed keeps its promises.
#include "decode/binance.h"
#include "json_venue_fuzz.h"

namespace tw::decode {
namespace {

bool Same(const BinanceDecoder& a, const BinanceDecoder& b) {
  const auto levels = [](std::span<const LevelText> x, std::span<const LevelText> y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end());
  };
  if (a.kind() != b.kind() || a.stream() != b.stream()) return false;
  switch (a.kind()) {
    case BinanceKind::kTrade: return a.trade() == b.trade();
    case BinanceKind::kAggTrade: return a.agg_trade() == b.agg_trade();
    case BinanceKind::kBookTicker: return a.book_ticker() == b.book_ticker();
    case BinanceKind::kDepthUpdate:
    case BinanceKind::kDepthSnapshot: return a.depth() == b.depth() && levels(a.bids(), b.bids()) && levels(a.asks(), b.asks());
    case BinanceKind::kKline: return a.kline() == b.kline();
    default: return true;
  }
}

}  // namespace
}  // namespace tw::decode

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static tw::decode::BinanceDecoder scan, parse;
  tw::feed::FuzzSession session("binance");
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
