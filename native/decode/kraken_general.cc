// The general parser: any key order, white space, escapes, keys this build does not know.
#include "decode/json_scanner_general.h"
#include "decode/kraken.h"

namespace tw::decode {
namespace {

// Calls `each(key, value)` for every field; false ends it.
template <class Each>
bool ForEachField(od::value& value, Each each) {
  od::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return false;
  for (auto field : object) {
    std::string_view key;
    od::value inner;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(inner) != simdjson::SUCCESS || !each(key, inner))
      return false;
  }
  return true;
}

bool FillLevels(od::value& value, std::vector<LevelText>* levels) {
  levels->clear();
  od::array rows;
  if (value.get_array().get(rows) != simdjson::SUCCESS) return false;
  for (auto row : rows) {
    od::value object;
    if (row.get(object) != simdjson::SUCCESS) return false;
    LevelText level;
    bool price = false, size = false;
    if (!ForEachField(object, [&](std::string_view key, od::value& inner) {
          if (key == "price") return price = GetNumberText(inner, &level.price);
          if (key == "qty") return size = GetNumberText(inner, &level.size);
          return true;
        })) {
      return false;
    }
    if (!price || !size) return false;
    levels->push_back(level);
  }
  return true;
}

}  // namespace

struct KrakenDecoder::General {
  JsonDocument document;
  std::vector<LevelText> bids, asks;

  // One element of `data`: it may be a book, a trade or neither; the channel, which may follow, decides.
  bool ReadElement(od::value& element, KrakenDecoder* out, bool* is_book, bool* is_trade) {
    KrakenBook book;
    KrakenTrade trade;
    bool symbol = false, has_bids = false, has_asks = false, side = false, price = false, size = false, id = false, time = false;
    bids.clear();
    asks.clear();
    const bool read = ForEachField(element, [&](std::string_view key, od::value& value) {
      od::json_type type;
      if (value.type().get(type) != simdjson::SUCCESS) return false;
      const bool text = type == od::json_type::string, number = type == od::json_type::number,
                 array = type == od::json_type::array;
      if (key == "symbol" && text) return symbol = GetString(value, &book.symbol);
      if (key == "timestamp" && text) return time = GetString(value, &book.time);
      if (key == "bids" && array) return has_bids = FillLevels(value, &bids);
      if (key == "asks" && array) return has_asks = FillLevels(value, &asks);
      if (key == "side" && text) return side = GetString(value, &trade.side);
      if (key == "ord_type" && text) return GetString(value, &trade.order_type);
      if (key == "price" && number) return price = GetNumberText(value, &trade.price);
      if (key == "qty" && number) return size = GetNumberText(value, &trade.size);
      if (key == "trade_id" && number) return id = GetUint(value, &trade.trade_id);
      if (key == "checksum" && number) {
        std::uint64_t checksum;
        book.has_checksum = GetUint(value, &checksum) && checksum <= 0xffffffffu;
        if (book.has_checksum) book.checksum = static_cast<std::uint32_t>(checksum);
        return book.has_checksum;
      }
      return true;
    });
    if (!read) return false;
    *is_book &= symbol && has_bids && has_asks;
    *is_trade &= symbol && side && price && size && id && time;
    book.bids = static_cast<std::uint32_t>(bids.size());
    book.asks = static_cast<std::uint32_t>(asks.size());
    trade.symbol = book.symbol;
    trade.time = book.time;
    out->levels_.insert(out->levels_.end(), bids.begin(), bids.end());
    out->levels_.insert(out->levels_.end(), asks.begin(), asks.end());
    out->books_.push_back(book);
    out->trades_.push_back(trade);
    return true;
  }
};

KrakenDecoder::KrakenDecoder() : general_(std::make_unique<General>()) {}
KrakenDecoder::~KrakenDecoder() = default;

bool KrakenDecoder::Parse(std::span<const std::uint8_t> frame) {
  kind_ = KrakenKind::kNone;
  reason_ = Reason::kNone;
  snapshot_ = false;
  answer_ = {};
  books_.clear();
  levels_.clear();
  trades_.clear();
  od::object object;
  if (!general_->document.Open(frame, &object)) return Refuse(Reason::kBadJson);
  std::string_view channel, type;
  bool is_book = true, is_trade = true, has_data = false, has_success = false;
  for (auto field : object) {
    std::string_view key;
    od::value value;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(value) != simdjson::SUCCESS)
      return Refuse(Reason::kBadJson);
    bool ok = true;
    if (key == "channel") {
      ok = GetString(value, &channel);
    } else if (key == "type") {
      ok = GetString(value, &type);
    } else if (key == "method") {
      ok = GetString(value, &answer_.method);
    } else if (key == "error") {
      ok = IsNull(value) || GetString(value, &answer_.error);
    } else if (key == "success") {
      ok = has_success = GetBool(value, &answer_.success);
    } else if (key == "symbol") {  // A refusal names it outside of result.
      ok = GetString(value, &answer_.symbol);
    } else if (key == "result") {
      ok = IsNull(value) || ForEachField(value, [&](std::string_view inner, od::value& of) {
             od::json_type kind;
             if (of.type().get(kind) != simdjson::SUCCESS) return false;
             if (inner == "channel" && kind == od::json_type::string) return GetString(of, &answer_.channel);
             if (inner == "symbol" && kind == od::json_type::string) return GetString(of, &answer_.symbol);
             if (inner == "depth" && kind == od::json_type::number) return GetUint(of, &answer_.depth);
             return true;
           });
    } else if (key == "data") {
      od::array elements;
      books_.clear();
      levels_.clear();
      trades_.clear();
      ok = has_data = value.get_array().get(elements) == simdjson::SUCCESS;
      if (ok) {
        for (auto element : elements) {
          od::value one;
          ok = element.get(one) == simdjson::SUCCESS && general_->ReadElement(one, this, &is_book, &is_trade);
          if (!ok) break;
        }
      }
    }
    if (!ok) return Refuse(Reason::kBadJson);
  }
  if (!general_->document.AtEnd()) return Refuse(Reason::kBadJson);
  snapshot_ = type == "snapshot";
  if (channel == "book" || channel == "trade") {
    const bool book = channel == "book";
    if (!has_data || books_.empty() || !(book ? is_book : is_trade) || (!snapshot_ && type != "update"))
      return Refuse(Reason::kBadJson);
    if (book) {
      trades_.clear();
    } else {
      books_.clear();
      levels_.clear();
    }
    kind_ = book ? KrakenKind::kBook : KrakenKind::kTrade;
    return true;
  }
  books_.clear();
  levels_.clear();
  trades_.clear();
  if (channel == "heartbeat") {
    kind_ = KrakenKind::kHeartbeat;
  } else if (channel == "status") {
    kind_ = KrakenKind::kStatus;
  } else if (channel.empty() && (has_success || !answer_.method.empty())) {
    kind_ = KrakenKind::kAnswer;
  } else {
    return Refuse(channel.empty() ? Reason::kBadJson : Reason::kUnknownType);
  }
  return true;
}

}  // namespace tw::decode
