// The general parser: any key order, any white space, escapes, keys this build does not know. Collects the keys it knows by
// name and kind first, because the same letter means another thing in another message.
#include "decode/binance.h"
#include "decode/json_scanner_general.h"

namespace tw::decode {
namespace {

// A value under a one-letter key.
struct Slot {
  enum class Kind : std::uint8_t { kAbsent, kOther, kUint, kText, kBool } kind = Kind::kAbsent;
  bool truth = false;
  std::uint64_t number = 0;
  std::string_view text;
};

struct Fields {
  Slot letters[128];
  Slot previous_id, last_update_id, symbol;
  bool has_bids = false, has_asks = false, has_result = false, has_error = false, has_id = false, has_kline = false,
       has_data = false;
  bool any = false;
};

bool Fill(od::value& value, Slot* slot) {
  *slot = {};
  slot->kind = Slot::Kind::kOther;
  od::json_type type;
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  switch (type) {
    case od::json_type::string:
      if (!GetString(value, &slot->text)) return false;
      slot->kind = Slot::Kind::kText;
      return true;
    case od::json_type::boolean:
      if (!GetBool(value, &slot->truth)) return false;
      slot->kind = Slot::Kind::kBool;
      return true;
    case od::json_type::number:
      if (GetUint(value, &slot->number)) {
        slot->kind = Slot::Kind::kUint;
        return true;
      }
      double ignored;  // Negative, or with a fraction.
      return value.get_double().get(ignored) == simdjson::SUCCESS;
    default: return true;
  }
}

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
      if (part.get(text) != simdjson::SUCCESS) return false;
      if (n < 2 && !GetString(text, n == 0 ? &level.price : &level.size)) return false;
      ++n;  // A third part was an empty list once.
    }
    if (n < 2) return false;
    levels->push_back(level);
  }
  return true;
}

// Reads fields in the order of a table: all there and of the right kind, or false.
class Reader {
 public:
  explicit Reader(const Slot* letters) : letters_(letters) {}
  Reader& Uint(char key, std::uint64_t* out) { return Take(key, Slot::Kind::kUint) ? (*out = Of(key).number, *this) : *this; }
  Reader& Text(char key, std::string_view* out) { return Take(key, Slot::Kind::kText) ? (*out = Of(key).text, *this) : *this; }
  Reader& Bool(char key, bool* out) { return Take(key, Slot::Kind::kBool) ? (*out = Of(key).truth, *this) : *this; }
  Reader& MaybeUint(char key, std::uint64_t* out) {
    *out = 0;
    return Of(key).kind == Slot::Kind::kAbsent ? *this : Uint(key, out);
  }
  Reader& MaybeText(char key, std::string_view* out) {
    *out = {};
    return Of(key).kind == Slot::Kind::kAbsent ? *this : Text(key, out);
  }
  bool ok() const { return ok_; }

 private:
  const Slot& Of(char key) const { return letters_[static_cast<unsigned char>(key)]; }
  bool Take(char key, Slot::Kind kind) {
    if (Of(key).kind != kind) ok_ = false;
    return ok_;
  }
  const Slot* letters_;
  bool ok_ = true;
};

}  // namespace

struct BinanceDecoder::General {
  JsonDocument document;
  Fields fields;
  Slot kline[128];

  bool ReadKline(od::value& value) {
    for (Slot& slot : kline) slot = {};
    od::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return false;
    for (auto field : object) {
      std::string_view key;
      od::value inner;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(inner) != simdjson::SUCCESS) return false;
      if (key.size() == 1 && static_cast<unsigned char>(key[0]) < 128 && !Fill(inner, &kline[static_cast<unsigned char>(key[0])]))
        return false;
    }
    return true;
  }

  // One object; with `outer`, a combined stream's envelope is opened.
  bool Read(od::object& object, BinanceDecoder* out, bool outer) {
    fields = {};
    for (auto field : object) {
      std::string_view key;
      od::value value;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(value) != simdjson::SUCCESS) return false;
      fields.any = true;
      if (key.size() == 1 && static_cast<unsigned char>(key[0]) < 128) {
        od::json_type type;
        if (value.type().get(type) != simdjson::SUCCESS) return false;
        if (type == od::json_type::array && (key[0] == 'b' || key[0] == 'a')) {
          if (!FillLevels(value, key[0] == 'b' ? &out->bids_ : &out->asks_)) return false;
          (key[0] == 'b' ? fields.has_bids : fields.has_asks) = true;
          fields.letters[static_cast<unsigned char>(key[0])] = {};
        } else if (key[0] == 'k' && type == od::json_type::object) {
          if (!ReadKline(value)) return false;
          fields.has_kline = true;
        } else {
          if (key[0] == 'b') fields.has_bids = false;
          if (key[0] == 'a') fields.has_asks = false;
          if (!Fill(value, &fields.letters[static_cast<unsigned char>(key[0])])) return false;
        }
      } else if (key == "bids" || key == "asks") {
        if (!FillLevels(value, key == "bids" ? &out->bids_ : &out->asks_)) return false;
        (key == "bids" ? fields.has_bids : fields.has_asks) = true;
      } else if (key == "pu") {
        if (!Fill(value, &fields.previous_id)) return false;
      } else if (key == "lastUpdateId") {
        if (!Fill(value, &fields.last_update_id)) return false;
      } else if (key == "symbol") {
        if (!Fill(value, &fields.symbol)) return false;
      } else if (outer && key == "stream") {
        if (!GetString(value, &out->stream_)) return false;
      } else if (outer && key == "data") {
        od::object inner;
        if (value.get_object().get(inner) != simdjson::SUCCESS || !Read(inner, out, false)) return false;
        fields.has_data = true;
      } else if (key == "result") {
        fields.has_result = true;
      } else if (key == "error" || key == "msg") {
        fields.has_error = true;
      } else if (key == "id") {
        fields.has_id = true;
      }
    }
    return true;
  }
};

BinanceDecoder::BinanceDecoder() : general_(std::make_unique<General>()) {}
BinanceDecoder::~BinanceDecoder() = default;

bool BinanceDecoder::Parse(std::span<const std::uint8_t> frame) {
  kind_ = BinanceKind::kNone;
  reason_ = Reason::kNone;
  stream_ = {};
  General& general = *general_;
  Fields& f = general.fields;
  od::object object;
  if (!general.document.Open(frame, &object) || !general.Read(object, this, true) || !general.document.AtEnd())
    return Refuse(Reason::kBadJson);

  Reader in(f.letters);
  const Slot& event = f.letters[static_cast<unsigned char>('e')];
  if (event.kind == Slot::Kind::kText && event.text == "trade") {
    in.Uint('E', &trade_.event_time)
        .Uint('T', &trade_.time)
        .Text('s', &trade_.symbol)
        .Uint('t', &trade_.id)
        .Text('p', &trade_.price);
    in.Text('q', &trade_.size).MaybeText('X', &trade_.order_type).Bool('m', &trade_.buyer_is_maker);
    kind_ = BinanceKind::kTrade;
  } else if (event.kind == Slot::Kind::kText && event.text == "aggTrade") {
    BinanceAggTrade& t = agg_trade_;
    in.Uint('E', &t.event_time)
        .Uint('T', &t.time)
        .Text('s', &t.symbol)
        .Uint('a', &t.id)
        .Uint('f', &t.first_id)
        .Uint('l', &t.last_id);
    in.Text('p', &t.price).Text('q', &t.size).Bool('m', &t.buyer_is_maker);
    kind_ = BinanceKind::kAggTrade;
  } else if (event.kind == Slot::Kind::kText && event.text == "depthUpdate") {
    BinanceDepth& d = depth_;
    in.Uint('E', &d.event_time).MaybeUint('T', &d.time).Text('s', &d.symbol).Uint('U', &d.first_id).Uint('u', &d.last_id);
    d.has_previous_id = f.previous_id.kind == Slot::Kind::kUint;
    d.previous_id = f.previous_id.number;
    if (!f.has_bids || !f.has_asks || (f.previous_id.kind != Slot::Kind::kAbsent && !d.has_previous_id))
      return Refuse(Reason::kBadJson);
    kind_ = BinanceKind::kDepthUpdate;
  } else if (event.kind == Slot::Kind::kText && event.text == "kline") {
    BinanceKline& k = kline_;
    std::string_view symbol;
    if (!f.has_kline) return Refuse(Reason::kBadJson);
    in.Uint('E', &k.event_time).Text('s', &k.symbol);
    Reader inner(general.kline);
    inner.Uint('t', &k.start).Uint('T', &k.end).Text('s', &symbol).Text('i', &k.interval).Text('o', &k.open).Text('c', &k.close);
    inner.Text('h', &k.high)
        .Text('l', &k.low)
        .Text('v', &k.volume)
        .Uint('n', &k.trades)
        .Bool('x', &k.closed)
        .Text('q', &k.quote_volume);
    inner.Text('V', &k.buy_volume).Text('Q', &k.buy_quote_volume);
    if (!inner.ok() || symbol != k.symbol) return Refuse(Reason::kBadJson);
    kind_ = BinanceKind::kKline;
  } else if ((event.kind == Slot::Kind::kText && event.text == "bookTicker") ||
             (event.kind == Slot::Kind::kAbsent && f.letters[static_cast<unsigned char>('u')].kind == Slot::Kind::kUint)) {
    BinanceBookTicker& t = book_ticker_;
    in.Uint('u', &t.update_id).Text('s', &t.symbol).Text('b', &t.bid_price).Text('B', &t.bid_size).Text('a', &t.ask_price);
    in.Text('A', &t.ask_size).MaybeUint('T', &t.time).MaybeUint('E', &t.event_time);
    kind_ = BinanceKind::kBookTicker;
  } else if (event.kind == Slot::Kind::kAbsent && f.last_update_id.kind == Slot::Kind::kUint && f.has_bids && f.has_asks) {
    BinanceDepth& d = depth_;
    d = {};
    d.last_id = f.last_update_id.number;
    if (f.symbol.kind == Slot::Kind::kText) d.symbol = f.symbol.text;
    in.MaybeUint('E', &d.event_time).MaybeUint('T', &d.time);
    kind_ = BinanceKind::kDepthSnapshot;
  } else if (event.kind == Slot::Kind::kAbsent && f.has_error) {
    kind_ = BinanceKind::kError;
  } else if (event.kind == Slot::Kind::kAbsent && (f.has_result || f.has_id)) {
    kind_ = BinanceKind::kAnswer;
  } else {
    return Refuse(f.any ? Reason::kUnknownType : Reason::kBadJson);
  }
  return in.ok() || Refuse(Reason::kBadJson);
}

}  // namespace tw::decode
