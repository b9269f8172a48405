// The general parser: any key order, white space, escapes, keys this build does not know.
#include "decode/coinbase.h"
#include "decode/json_scanner_general.h"

namespace tw::decode {
namespace {

bool FillLevels(od::value& value, std::vector<LevelText>* levels) {
  levels->clear();
  od::array rows;
  if (value.get_array().get(rows) != simdjson::SUCCESS) return false;
  for (auto row : rows) {
    od::array parts;
    if (row.get_array().get(parts) != simdjson::SUCCESS) return false;
    LevelText level;
    int n = 0;
    for (auto part : parts) {
      od::value text;
      if (n >= 2 || part.get(text) != simdjson::SUCCESS || !GetString(text, n == 0 ? &level.price : &level.size)) return false;
      ++n;
    }
    if (n != 2) return false;
    levels->push_back(level);
  }
  return true;
}

bool FillChanges(od::value& value, std::vector<CoinbaseChange>* changes) {
  changes->clear();
  od::array rows;
  if (value.get_array().get(rows) != simdjson::SUCCESS) return false;
  for (auto row : rows) {
    od::array parts;
    if (row.get_array().get(parts) != simdjson::SUCCESS) return false;
    std::string_view texts[3];
    int n = 0;
    for (auto part : parts) {
      od::value text;
      if (n >= 3 || part.get(text) != simdjson::SUCCESS || !GetString(text, &texts[n])) return false;
      ++n;
    }
    if (n != 3 || (texts[0] != "buy" && texts[0] != "sell")) return false;
    changes->push_back({texts[0] == "buy", {texts[1], texts[2]}});
  }
  return true;
}

// The keys of all messages, as a table of what was there.
struct Fields {
  enum Text {
    kType,
    kProduct,
    kSide,
    kSize,
    kPrice,
    kTime,
    kBestBid,
    kBestBidSize,
    kBestAsk,
    kBestAskSize,
    kLastSize,
    kTextCount
  };
  enum Number { kTradeId, kSequence, kLastTradeId, kNumberCount };
  std::string_view text[kTextCount];
  std::uint64_t number[kNumberCount] = {};
  std::uint32_t has_text = 0, has_number = 0;
  bool has_bids = false, has_asks = false, has_changes = false;

  bool Has(std::initializer_list<Text> texts, std::initializer_list<Number> numbers) const {
    for (Text t : texts) {
      if ((has_text >> t & 1) == 0) return false;
    }
    for (Number n : numbers) {
      if ((has_number >> n & 1) == 0) return false;
    }
    return true;
  }
};
constexpr std::string_view kTextKeys[] = {"type",     "product_id",    "side",     "size",          "price",    "time",
                                          "best_bid", "best_bid_size", "best_ask", "best_ask_size", "last_size"};
constexpr std::string_view kNumberKeys[] = {"trade_id", "sequence", "last_trade_id"};

}  // namespace

struct CoinbaseDecoder::General {
  JsonDocument document;
};

CoinbaseDecoder::CoinbaseDecoder() : general_(std::make_unique<General>()) {}
CoinbaseDecoder::~CoinbaseDecoder() = default;

bool CoinbaseDecoder::Parse(std::span<const std::uint8_t> frame) {
  kind_ = CoinbaseKind::kNone;
  reason_ = Reason::kNone;
  od::object object;
  if (!general_->document.Open(frame, &object)) return Refuse(Reason::kBadJson);
  Fields f;
  for (auto field : object) {
    std::string_view key;
    od::value value;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(value) != simdjson::SUCCESS)
      return Refuse(Reason::kBadJson);
    bool ok = true;
    for (std::uint32_t i = 0; i < Fields::kTextCount; ++i) {
      if (key == kTextKeys[i]) ok = GetString(value, &f.text[i]), f.has_text |= 1u << i;
    }
    for (std::uint32_t i = 0; i < Fields::kNumberCount; ++i) {
      if (key == kNumberKeys[i]) ok = GetUint(value, &f.number[i]), f.has_number |= 1u << i;
    }
    if (key == "bids") ok = f.has_bids = FillLevels(value, &bids_);
    if (key == "asks") ok = f.has_asks = FillLevels(value, &asks_);
    if (key == "changes") ok = f.has_changes = FillChanges(value, &changes_);
    if (!ok) return Refuse(Reason::kBadJson);
  }
  if (!general_->document.AtEnd() || !f.Has({Fields::kType}, {})) return Refuse(Reason::kBadJson);
  const auto text = [&](Fields::Text t) { return f.text[t]; };
  const std::string_view type = text(Fields::kType);
  bool whole = true;
  if (type == "match" || type == "last_match") {
    whole = f.Has({Fields::kProduct, Fields::kSide, Fields::kSize, Fields::kPrice, Fields::kTime},
                  {Fields::kTradeId, Fields::kSequence});
    match_ = {f.number[Fields::kTradeId], f.number[Fields::kSequence], text(Fields::kProduct), text(Fields::kPrice),
              text(Fields::kSize),        text(Fields::kTime),         text(Fields::kSide)};
    kind_ = type == "match" ? CoinbaseKind::kMatch : CoinbaseKind::kLastMatch;
  } else if (type == "ticker") {
    // A product that never traded has neither time nor trade.
    whole = f.Has({Fields::kProduct, Fields::kPrice}, {Fields::kSequence});
    ticker_ = {f.number[Fields::kSequence], f.number[Fields::kTradeId], text(Fields::kProduct), text(Fields::kPrice),
               text(Fields::kLastSize),     text(Fields::kTime),        text(Fields::kBestBid), text(Fields::kBestBidSize),
               text(Fields::kBestAsk),      text(Fields::kBestAskSize)};
    kind_ = CoinbaseKind::kTicker;
  } else if (type == "heartbeat") {
    whole = f.Has({Fields::kProduct, Fields::kTime}, {Fields::kSequence, Fields::kLastTradeId});
    heartbeat_ = {f.number[Fields::kSequence], f.number[Fields::kLastTradeId], text(Fields::kProduct), text(Fields::kTime)};
    kind_ = CoinbaseKind::kHeartbeat;
  } else if (type == "snapshot") {
    whole = f.has_bids && f.has_asks && f.Has({Fields::kProduct}, {});
    level2_ = {text(Fields::kProduct), text(Fields::kTime)};
    kind_ = CoinbaseKind::kSnapshot;
  } else if (type == "l2update") {
    whole = f.has_changes && f.Has({Fields::kProduct, Fields::kTime}, {});
    level2_ = {text(Fields::kProduct), text(Fields::kTime)};
    kind_ = CoinbaseKind::kL2Update;
  } else if (type == "subscriptions") {
    kind_ = CoinbaseKind::kSubscriptions;
  } else if (type == "error") {
    kind_ = CoinbaseKind::kError;
  } else {
    return Refuse(Reason::kUnknownType);
  }
  return whole || Refuse(Reason::kBadJson);
}

}  // namespace tw::decode
