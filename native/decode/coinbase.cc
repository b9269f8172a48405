// The scanner: the key order that Coinbase's servers send. Anything else is the general parser's (coinbase_general.cc).
#include "decode/coinbase.h"

namespace tw::decode {

CoinbaseKind CoinbaseDecoder::Decode(std::span<const std::uint8_t> frame) {
  if (Scan(frame)) [[likely]] {
    fell_back_ = false;
    return kind_;
  }
  fell_back_ = true;
  Parse(frame);
  return kind_;
}

bool CoinbaseDecoder::Refuse(Reason reason) {
  kind_ = CoinbaseKind::kNone;
  reason_ = reason;
  return false;
}

bool CoinbaseDecoder::Scan(std::span<const std::uint8_t> frame) {
  Scanner in(frame);
  kind_ = CoinbaseKind::kNone;
  reason_ = Reason::kNone;
  CoinbaseKind kind = CoinbaseKind::kNone;
  if (!in.Take("{\"type\":\"")) return false;
  bool ok = false;
  if (in.Take("l2update\"")) {
    ok = ScanL2Update(in);
    kind = CoinbaseKind::kL2Update;
  } else if (in.Take("match\"")) {
    ok = ScanMatch(in);
    kind = CoinbaseKind::kMatch;
  } else if (in.Take("ticker\"")) {
    ok = ScanTicker(in);
    kind = CoinbaseKind::kTicker;
  } else if (in.Take("heartbeat\"")) {
    ok = ScanHeartbeat(in);
    kind = CoinbaseKind::kHeartbeat;
  } else if (in.Take("snapshot\"")) {
    ok = ScanSnapshot(in);
    kind = CoinbaseKind::kSnapshot;
  } else if (in.Take("last_match\"")) {
    ok = ScanMatch(in);
    kind = CoinbaseKind::kLastMatch;
  }
  if (!ok || !in.Take('}') || !in.AtEnd()) return false;
  kind_ = kind;
  return true;
}

bool CoinbaseDecoder::ScanMatch(Scanner& in) {
  CoinbaseMatch& m = match_;
  std::string_view ignored;
  return in.Take(",\"trade_id\":") && in.Uint(&m.trade_id) && in.Take(",\"maker_order_id\":\"") && in.String(&ignored) &&
         in.Take(",\"taker_order_id\":\"") && in.String(&ignored) && in.Take(",\"side\":\"") && in.String(&m.side) &&
         in.Take(",\"size\":\"") && in.String(&m.size) && in.Take(",\"price\":\"") && in.String(&m.price) &&
         in.Take(",\"product_id\":\"") && in.String(&m.product_id) && in.Take(",\"sequence\":") && in.Uint(&m.sequence) &&
         in.Take(",\"time\":\"") && in.String(&m.time);
}

bool CoinbaseDecoder::ScanTicker(Scanner& in) {
  CoinbaseTicker& t = ticker_;
  std::string_view ignored;
  t.best_bid_size = t.best_ask_size = {};
  if (!(in.Take(",\"sequence\":") && in.Uint(&t.sequence) && in.Take(",\"product_id\":\"") && in.String(&t.product_id) &&
        in.Take(",\"price\":\"") && in.String(&t.price) && in.Take(",\"open_24h\":\"") && in.String(&ignored) &&
        in.Take(",\"volume_24h\":\"") && in.String(&ignored) && in.Take(",\"low_24h\":\"") && in.String(&ignored) &&
        in.Take(",\"high_24h\":\"") && in.String(&ignored) && in.Take(",\"volume_30d\":\"") && in.String(&ignored) &&
        in.Take(",\"best_bid\":\"") && in.String(&t.best_bid))) {
    return false;
  }
  if (in.Take(",\"best_bid_size\":\"") && !in.String(&t.best_bid_size)) return false;
  if (!(in.Take(",\"best_ask\":\"") && in.String(&t.best_ask))) return false;
  if (in.Take(",\"best_ask_size\":\"") && !in.String(&t.best_ask_size)) return false;
  return in.Take(",\"side\":\"") && in.String(&ignored) && in.Take(",\"time\":\"") && in.String(&t.time) &&
         in.Take(",\"trade_id\":") && in.Uint(&t.trade_id) && in.Take(",\"last_size\":\"") && in.String(&t.last_size);
}

bool CoinbaseDecoder::ScanHeartbeat(Scanner& in) {
  CoinbaseHeartbeat& h = heartbeat_;
  return in.Take(",\"last_trade_id\":") && in.Uint(&h.last_trade_id) && in.Take(",\"product_id\":\"") &&
         in.String(&h.product_id) && in.Take(",\"sequence\":") && in.Uint(&h.sequence) && in.Take(",\"time\":\"") &&
         in.String(&h.time);
}

bool CoinbaseDecoder::ScanLevels(Scanner& in, std::vector<LevelText>* levels) {
  levels->clear();
  if (!in.Take('[')) return false;
  if (in.Take(']')) return true;
  do {
    LevelText level;
    if (!(in.Take("[\"") && in.String(&level.price) && in.Take(",\"") && in.String(&level.size) && in.Take(']'))) return false;
    levels->push_back(level);
  } while (in.Take(','));
  return in.Take(']');
}

bool CoinbaseDecoder::ScanSnapshot(Scanner& in) {
  level2_.time = {};
  if (!(in.Take(",\"product_id\":\"") && in.String(&level2_.product_id) && in.Take(",\"asks\":") && ScanLevels(in, &asks_) &&
        in.Take(",\"bids\":") && ScanLevels(in, &bids_))) {
    return false;
  }
  return !in.Take(",\"time\":\"") || in.String(&level2_.time);
}

bool CoinbaseDecoder::ScanL2Update(Scanner& in) {
  changes_.clear();
  if (!(in.Take(",\"product_id\":\"") && in.String(&level2_.product_id) && in.Take(",\"changes\":["))) return false;
  if (!in.Take(']')) {
    do {
      CoinbaseChange change;
      change.buy = in.Take("[\"buy\",\"");
      if (!change.buy && !in.Take("[\"sell\",\"")) return false;
      if (!(in.String(&change.level.price) && in.Take(",\"") && in.String(&change.level.size) && in.Take(']'))) return false;
      changes_.push_back(change);
    } while (in.Take(','));
    if (!in.Take(']')) return false;
  }
  return in.Take(",\"time\":\"") && in.String(&level2_.time);
}

}  // namespace tw::decode
