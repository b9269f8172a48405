// The scanner: the key order that Kraken's servers send. Anything else is the general parser's (kraken_general.cc).
#include "decode/kraken.h"

namespace tw::decode {

KrakenKind KrakenDecoder::Decode(std::span<const std::uint8_t> frame) {
  if (Scan(frame)) [[likely]] {
    fell_back_ = false;
    return kind_;
  }
  fell_back_ = true;
  Parse(frame);
  return kind_;
}

bool KrakenDecoder::Refuse(Reason reason) {
  kind_ = KrakenKind::kNone;
  reason_ = reason;
  return false;
}

bool KrakenDecoder::Scan(std::span<const std::uint8_t> frame) {
  Scanner in(frame);
  kind_ = KrakenKind::kNone;
  reason_ = Reason::kNone;
  snapshot_ = false;
  books_.clear();
  levels_.clear();
  trades_.clear();
  if (!in.Take("{\"channel\":\"")) return false;
  KrakenKind kind = KrakenKind::kNone;
  if (in.Take("book\",\"type\":\"")) {
    kind = KrakenKind::kBook;
  } else if (in.Take("trade\",\"type\":\"")) {
    kind = KrakenKind::kTrade;
  } else if (in.Take("heartbeat\"}") && in.AtEnd()) {
    kind_ = KrakenKind::kHeartbeat;
    return true;
  } else {
    return false;
  }
  snapshot_ = in.Take("snapshot\",\"data\":[{");
  if (!snapshot_ && !in.Take("update\",\"data\":[{")) return false;
  do {
    if (!(kind == KrakenKind::kBook ? ScanBook(in) : ScanTrades(in))) return false;
  } while (in.Take(",{"));
  if (!in.Take("]}") || !in.AtEnd()) return false;
  kind_ = kind;
  return true;
}

bool KrakenDecoder::ScanLevels(Scanner& in, std::uint32_t* count) {
  const std::size_t before = levels_.size();
  if (!in.Take('[')) return false;
  if (!in.Take(']')) {
    do {
      LevelText level;
      if (!(in.Take("{\"price\":") && in.Number(&level.price) && in.Take(",\"qty\":") && in.Number(&level.size) && in.Take('}')))
        return false;
      levels_.push_back(level);
    } while (in.Take(','));
    if (!in.Take(']')) return false;
  }
  *count = static_cast<std::uint32_t>(levels_.size() - before);
  return true;
}

bool KrakenDecoder::ScanBook(Scanner& in) {
  KrakenBook book;
  std::uint64_t checksum;
  if (!(in.Take("\"symbol\":\"") && in.String(&book.symbol) && in.Take(",\"bids\":") && ScanLevels(in, &book.bids) &&
        in.Take(",\"asks\":") && ScanLevels(in, &book.asks) && in.Take(",\"checksum\":") && in.Uint(&checksum) &&
        checksum <= 0xffffffffu && in.Take(",\"timestamp\":\"") && in.String(&book.time) && in.Take('}'))) {
    return false;
  }
  book.checksum = static_cast<std::uint32_t>(checksum);
  book.has_checksum = true;
  books_.push_back(book);
  return true;
}

bool KrakenDecoder::ScanTrades(Scanner& in) {
  KrakenTrade t;
  if (!(in.Take("\"symbol\":\"") && in.String(&t.symbol) && in.Take(",\"side\":\"") && in.String(&t.side) &&
        in.Take(",\"price\":") && in.Number(&t.price) && in.Take(",\"qty\":") && in.Number(&t.size) &&
        in.Take(",\"ord_type\":\"") && in.String(&t.order_type) && in.Take(",\"trade_id\":") && in.Uint(&t.trade_id) &&
        in.Take(",\"timestamp\":\"") && in.String(&t.time) && in.Take('}'))) {
    return false;
  }
  trades_.push_back(t);
  return true;
}

}  // namespace tw::decode
