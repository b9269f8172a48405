// The scanner: the key order that Binance's servers send. Reordered, missing or added keys are the general parser's
// (binance_general.cc).
#include "decode/binance.h"

namespace tw::decode {

BinanceKind BinanceDecoder::Decode(std::span<const std::uint8_t> frame) {
  if (Scan(frame)) [[likely]] {
    fell_back_ = false;
    return kind_;
  }
  fell_back_ = true;
  Parse(frame);
  return kind_;
}

bool BinanceDecoder::Refuse(Reason reason) {
  kind_ = BinanceKind::kNone;
  reason_ = reason;
  return false;
}

bool BinanceDecoder::ScanTrade(Scanner& in) {
  BinanceTrade& t = trade_;
  if (!in.Time(&t.event_time, &trade_hints_[0])) return false;
  const bool futures = in.Take(",\"T\":");
  if (futures && !in.Time(&t.time, &trade_hints_[1])) return false;
  if (!(in.Take(",\"s\":\"") && in.String(&t.symbol, &trade_hints_[2]) && in.Take(",\"t\":") &&
        in.Uint(&t.id, &trade_hints_[3]) && in.Take(",\"p\":\"") && in.String(&t.price, &trade_hints_[4]) &&
        in.Take(",\"q\":\"") && in.String(&t.size, &trade_hints_[5]))) {
    return false;
  }
  if (futures) {
    if (!(in.Take(",\"X\":\"") && in.String(&t.order_type, &trade_hints_[6]) && in.Take(",\"m\":") &&
          in.Bool(&t.buyer_is_maker) && in.Take('}')))
      return false;
  } else {
    bool ignored;
    t.order_type = {};
    if (!(in.Take(",\"T\":") && in.Time(&t.time, &trade_hints_[7]) && in.Take(",\"m\":") && in.Bool(&t.buyer_is_maker) &&
          in.Take(",\"M\":") && in.Bool(&ignored) && in.Take('}'))) {
      return false;
    }
  }
  kind_ = BinanceKind::kTrade;
  return true;
}

bool BinanceDecoder::ScanAggTrade(Scanner& in) {
  BinanceAggTrade& t = agg_trade_;
  if (!in.Time(&t.event_time, &agg_trade_hints_[0])) return false;
  if (in.Take(",\"a\":")) {  // Futures.
    if (!(in.Uint(&t.id, &agg_trade_hints_[1]) && in.Take(",\"s\":\"") && in.String(&t.symbol, &agg_trade_hints_[2])))
      return false;
  } else if (!(in.Take(",\"s\":\"") && in.String(&t.symbol, &agg_trade_hints_[3]) && in.Take(",\"a\":") &&
               in.Uint(&t.id, &agg_trade_hints_[4]))) {
    return false;
  }
  if (!(in.Take(",\"p\":\"") && in.String(&t.price, &agg_trade_hints_[5]) && in.Take(",\"q\":\"") &&
        in.String(&t.size, &agg_trade_hints_[6]) && in.Take(",\"f\":") && in.Uint(&t.first_id, &agg_trade_hints_[7]) &&
        in.Take(",\"l\":") && in.Uint(&t.last_id, &agg_trade_hints_[8]) && in.Take(",\"T\":") &&
        in.Time(&t.time, &agg_trade_hints_[9]) && in.Take(",\"m\":") && in.Bool(&t.buyer_is_maker))) {
    return false;
  }
  bool ignored;
  if (in.Take(",\"M\":") && !in.Bool(&ignored)) return false;
  if (!in.Take('}')) return false;
  kind_ = BinanceKind::kAggTrade;
  return true;
}

// Behind `"u":`. COIN-M sends u before e; spot sends no e.
bool BinanceDecoder::ScanBookTicker(Scanner& in) {
  BinanceBookTicker& t = book_ticker_;
  std::string_view pair;
  if (!in.Uint(&t.update_id, &book_ticker_hints_[0])) return false;
  in.Take(",\"e\":\"bookTicker\"");
  if (!(in.Take(",\"s\":\"") && in.String(&t.symbol, &book_ticker_hints_[1]))) return false;
  if (in.Take(",\"ps\":\"") && !in.String(&pair, &book_ticker_hints_[2])) return false;
  if (!(in.Take(",\"b\":\"") && in.String(&t.bid_price, &book_ticker_hints_[3]) && in.Take(",\"B\":\"") &&
        in.String(&t.bid_size, &book_ticker_hints_[4]) && in.Take(",\"a\":\"") &&
        in.String(&t.ask_price, &book_ticker_hints_[5]) && in.Take(",\"A\":\"") &&
        in.String(&t.ask_size, &book_ticker_hints_[6]))) {
    return false;
  }
  t.time = t.event_time = 0;
  if (in.Take(",\"T\":") &&
      !(in.Time(&t.time, &book_ticker_hints_[7]) && in.Take(",\"E\":") && in.Time(&t.event_time, &book_ticker_hints_[8])))
    return false;
  if (!in.Take('}')) return false;
  kind_ = BinanceKind::kBookTicker;
  return true;
}

bool BinanceDecoder::ScanLevels(Scanner& in, std::vector<LevelText>* levels) {
  levels->clear();
  if (!in.Take('[')) return false;
  if (in.Take(']')) return true;
  do {
    LevelText level;
    if (!(in.Take("[\"") && in.String(&level.price, &level_hints_[0]) && in.Take(",\"") &&
          in.String(&level.size, &level_hints_[1]) && in.Take(']')))
      return false;
    levels->push_back(level);
  } while (in.Take(','));
  return in.Take(']');
}

bool BinanceDecoder::ScanDepth(Scanner& in) {
  BinanceDepth& d = depth_;
  std::string_view pair;
  d.time = d.previous_id = 0;
  if (!in.Uint(&d.event_time)) return false;
  if (in.Take(",\"T\":") && !in.Uint(&d.time)) return false;
  if (!(in.Take(",\"s\":\"") && in.String(&d.symbol))) return false;
  if (in.Take(",\"ps\":\"") && !in.String(&pair)) return false;
  if (!(in.Take(",\"U\":") && in.Uint(&d.first_id) && in.Take(",\"u\":") && in.Uint(&d.last_id))) return false;
  d.has_previous_id = in.Take(",\"pu\":");
  if (d.has_previous_id && !in.Uint(&d.previous_id)) return false;
  if (!(in.Take(",\"b\":") && ScanLevels(in, &bids_) && in.Take(",\"a\":") && ScanLevels(in, &asks_) && in.Take('}')))
    return false;
  kind_ = BinanceKind::kDepthUpdate;
  return true;
}

bool BinanceDecoder::ScanSnapshot(Scanner& in) {
  BinanceDepth& d = depth_;
  std::string_view pair;
  d = {};
  if (!in.Uint(&d.last_id)) return false;
  if (in.Take(",\"E\":") && !(in.Uint(&d.event_time) && in.Take(",\"T\":") && in.Uint(&d.time))) return false;
  if (in.Take(",\"symbol\":\"") && !(in.String(&d.symbol) && in.Take(",\"pair\":\"") && in.String(&pair))) return false;
  if (!(in.Take(",\"bids\":") && ScanLevels(in, &bids_) && in.Take(",\"asks\":") && ScanLevels(in, &asks_) && in.Take('}')))
    return false;
  kind_ = BinanceKind::kDepthSnapshot;
  return true;
}

bool BinanceDecoder::ScanKline(Scanner& in) {
  BinanceKline& k = kline_;
  std::string_view symbol, ignored;
  std::uint64_t id;
  if (!(in.Uint(&k.event_time) && in.Take(",\"s\":\"") && in.String(&k.symbol) && in.Take(",\"k\":{\"t\":") &&
        in.Uint(&k.start) && in.Take(",\"T\":") && in.Uint(&k.end) && in.Take(",\"s\":\"") && in.String(&symbol) &&
        in.Take(",\"i\":\"") && in.String(&k.interval) && in.Take(",\"f\":") && in.Uint(&id) && in.Take(",\"L\":") &&
        in.Uint(&id) && in.Take(",\"o\":\"") && in.String(&k.open) && in.Take(",\"c\":\"") && in.String(&k.close) &&
        in.Take(",\"h\":\"") && in.String(&k.high) && in.Take(",\"l\":\"") && in.String(&k.low) && in.Take(",\"v\":\"") &&
        in.String(&k.volume) && in.Take(",\"n\":") && in.Uint(&k.trades) && in.Take(",\"x\":") && in.Bool(&k.closed) &&
        in.Take(",\"q\":\"") && in.String(&k.quote_volume) && in.Take(",\"V\":\"") && in.String(&k.buy_volume) &&
        in.Take(",\"Q\":\"") && in.String(&k.buy_quote_volume) && in.Take(",\"B\":\"") && in.String(&ignored) && in.Take("}}"))) {
    return false;
  }
  if (symbol != k.symbol) return false;
  kind_ = BinanceKind::kKline;
  return true;
}

bool BinanceDecoder::ScanMessage(Scanner& in) {
  // The rest in a copy: a scanner whose address nobody takes lives in registers.
  const auto scan = [&](bool (BinanceDecoder::*message)(Scanner&)) {
    Scanner rest = in;
    const bool ok = (this->*message)(rest);
    in = rest;
    return ok;
  };
  if (in.Take("{\"e\":\"")) {
    switch (in.Peek()) {
      case 't': return in.Take("trade\",\"E\":") && ScanTrade(in);
      case 'a': return in.Take("aggTrade\",\"E\":") && scan(&BinanceDecoder::ScanAggTrade);
      case 'b': return in.Take("bookTicker\",\"u\":") && scan(&BinanceDecoder::ScanBookTicker);
      case 'd': return in.Take("depthUpdate\",\"E\":") && scan(&BinanceDecoder::ScanDepth);
      case 'k': return in.Take("kline\",\"E\":") && scan(&BinanceDecoder::ScanKline);
      default: return false;
    }
  }
  if (in.Take("{\"u\":")) return scan(&BinanceDecoder::ScanBookTicker);
  if (in.Take("{\"lastUpdateId\":")) return scan(&BinanceDecoder::ScanSnapshot);
  return false;
}

bool BinanceDecoder::Scan(std::span<const std::uint8_t> frame) {
  Scanner in(frame);
  kind_ = BinanceKind::kNone;
  reason_ = Reason::kNone;
  stream_ = {};
  const bool combined = in.Take("{\"stream\":\"");
  if (combined && !(in.String(&stream_, &stream_hint_) && in.Take(",\"data\":"))) return false;
  return ScanMessage(in) && (!combined || in.Take('}')) && in.AtEnd();
}

}  // namespace tw::decode
