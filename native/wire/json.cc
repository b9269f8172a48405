#include "wire/json.h"

#include <charconv>
#include <cstring>
#include <string_view>

#include "model/decimal.h"
#include "model/stream.h"

namespace tw::wire {
namespace {

constexpr const char* kTypeNames[kRecordTypeMax + 1] = {"none",   "trade",   "quote", "ticker", "index",     "depth5", "depth10", "depth20",
                                                        "level", "bar", "chain_row", "greeks", "gap",     "clock",   "status"};
constexpr const char* kSideNames[] = {"unknown", "buy", "sell"};
constexpr const char* kBookSideNames[] = {"unknown", "bid", "ask"};
constexpr const char* kActionNames[] = {"unknown", "set", "delete", "clear"};
constexpr const char* kCauseNames[] = {"unknown", "venue_sequence", "reconnect", "ring_full", "checksum", "retention", "corruption", "conflated", "overflow"};
constexpr const char* kStateNames[] = {"open", "repaired", "unrepairable"};
constexpr const char* kBasisNames[] = {"none", "trade", "ticker", "bid", "ask", "mid", "bar"};
constexpr const char* kReasonNames[] = {"first", "late", "backfill", "official", "bust"};
constexpr const char* kStatusNames[] = {"unknown", "session_opened", "session_closed", "disconnected", "message"};
constexpr const char* kFlagNames[] = {"snapshot",   "last_of_update", "gap_before", "sampled",    "event_time_ours",
                                      "correction", "suspect",        "stale",      "off_market", "final"};
constexpr const char* kCompletenessNames[] = {"gap_inside", "loss_unknown", "cut", "start_unseen"};

template <class Enum, std::size_t N>
std::string_view NameOf(Enum value, const char* const (&names)[N]) {
  const auto i = static_cast<std::size_t>(value);
  return i < N ? names[i] : "unknown";
}

class Object {
 public:
  Object(std::string* out, const Instrument* instrument) : out_(out), instrument_(instrument) { out_->push_back('{'); }
  void Key(std::string_view key) {
    if (!first_) out_->push_back(',');
    first_ = false;
    out_->push_back('"');
    out_->append(key);
    out_->append("\":");
  }
  void Text(std::string_view key, std::string_view value) {
    Key(key);
    AppendQuoted(value);
  }
  void Number(std::string_view key, std::uint64_t value) {
    Key(key);
    AppendInteger(value);
  }
  void Big(std::string_view key, std::uint64_t value) {
    Key(key);
    out_->push_back('"');
    AppendInteger(value);
    out_->push_back('"');
  }
  // 0 means not told.
  void Time(std::string_view key, std::uint64_t value) {
    if (value != 0) return Big(key, value);
    Null(key);
  }
  void Null(std::string_view key) {
    Key(key);
    out_->append("null");
  }
  void Price(std::string_view key, std::int64_t value) { Scaled(key, value, instrument_ == nullptr ? 0 : instrument_->price_exponent); }
  void Size(std::string_view key, std::int64_t value) { Scaled(key, value, instrument_ == nullptr ? 0 : instrument_->size_exponent); }
  void Scaled(std::string_view key, std::int64_t value, int exponent) {
    Key(key);
    AppendScaled(value, exponent);
  }
  void AppendScaled(std::int64_t value, int exponent) {
    if (value == kNoPrice) {
      out_->append("null");
      return;
    }
    out_->push_back('"');
    AppendDecimal(value, exponent, out_);
    out_->push_back('"');
  }
  template <std::size_t N>
  void Bits(std::string_view key, std::uint32_t bits, const char* const (&names)[N]) {
    Key(key);
    out_->push_back('[');
    bool first = true;
    for (std::size_t i = 0; i < N; ++i) {
      if ((bits & (1u << i)) == 0) continue;
      if (!first) out_->push_back(',');
      first = false;
      AppendQuoted(names[i]);
    }
    out_->push_back(']');
  }
  void AppendInteger(std::uint64_t value) {
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    out_->append(text, static_cast<std::size_t>(end - text));
  }
  void AppendQuoted(std::string_view value) {
    out_->push_back('"');
    for (const char c : value) {
      if (c == '"' || c == '\\') out_->push_back('\\');
      if (static_cast<unsigned char>(c) < 0x20) {
        constexpr char kHex[] = "0123456789abcdef";
        out_->append("\\u00");
        out_->push_back(kHex[(c >> 4) & 0xf]);
        out_->push_back(kHex[c & 0xf]);
        continue;
      }
      out_->push_back(c);
    }
    out_->push_back('"');
  }
  void End() { out_->push_back('}'); }
  int price_exponent() const { return instrument_ == nullptr ? 0 : instrument_->price_exponent; }
  int size_exponent() const { return instrument_ == nullptr ? 0 : instrument_->size_exponent; }
  std::string* out() { return out_; }

 private:
  std::string* out_;
  const Instrument* instrument_;
  bool first_ = true;
};

void Body(Object& o, const Trade& r) {
  o.Price("price", r.price);
  o.Size("size", r.size);
  o.Big("trade_id", r.trade_id);
  o.Number("conditions", r.conditions);
  o.Number("fills", r.fills);
  o.Text("side", NameOf(r.side, kSideNames));
}

void Body(Object& o, const Quote& r) {
  o.Price("bid_price", r.bid_price);
  o.Price("ask_price", r.ask_price);
  o.Size("bid_size", r.bid_size);
  o.Size("ask_size", r.ask_size);
}

void Body(Object& o, const Ticker& r) {
  o.Price("last_price", r.last_price);
  o.Size("last_size", r.last_size);
  o.Price("average_price", r.average_price);
  o.Size("volume", r.volume);
  o.Size("buy_quantity", r.buy_quantity);
  o.Size("sell_quantity", r.sell_quantity);
  o.Size("open_interest", r.open_interest);
  o.Size("open_interest_day_high", r.open_interest_day_high);
  o.Size("open_interest_day_low", r.open_interest_day_low);
  o.Price("open", r.open);
  o.Price("high", r.high);
  o.Price("low", r.low);
  o.Price("previous_close", r.previous_close);
  o.Time("ts_last_trade", r.ts_last_trade);
}

void Body(Object& o, const Index& r) {
  o.Price("price", r.price);
  o.Price("settle_price", r.settle_price);
  o.Scaled("funding_rate", r.funding_rate, -8);
  o.Time("ts_next_funding", r.ts_next_funding);
}

void Levels(Object& o, std::string_view key, const DepthLevel* levels, std::size_t count) {
  o.Key(key);
  o.out()->push_back('[');
  for (std::size_t i = 0; i < count && levels[i].price != kNoPrice; ++i) {
    if (i != 0) o.out()->push_back(',');
    o.out()->push_back('[');
    o.AppendScaled(levels[i].price, o.price_exponent());
    o.out()->push_back(',');
    o.AppendScaled(levels[i].size, o.size_exponent());
    o.out()->push_back(',');
    o.AppendInteger(levels[i].orders);
    o.out()->push_back(']');
  }
  o.out()->push_back(']');
}

template <std::size_t N>
void Body(Object& o, const Depth<N>& r) {
  Levels(o, "bids", r.bids, N);
  Levels(o, "asks", r.asks, N);
}

void Body(Object& o, const Level& r) {
  o.Price("price", r.price);
  o.Size("size", r.size);
  o.Big("update_id", r.update_id);
  o.Number("orders", r.orders);
  o.Text("side", NameOf(r.side, kBookSideNames));
  o.Text("action", NameOf(r.action, kActionNames));
}

void Body(Object& o, const Bar& r) {
  o.Price("open", r.open);
  o.Price("high", r.high);
  o.Price("low", r.low);
  o.Price("close", r.close);
  o.Size("volume", r.volume);
  o.Key("turnover");
  o.out()->push_back('"');
  const auto turnover = (static_cast<__int128>(r.turnover_high) << 64) | static_cast<__int128>(r.turnover_low);
  AppendDecimal128(turnover, o.price_exponent() + o.size_exponent(), o.out());
  o.out()->push_back('"');
  o.Price("vwap", r.vwap);
  o.Big("first", r.first);
  o.Big("last", r.last);
  o.Size("buy_volume", r.buy_volume);
  o.Size("open_interest", r.open_interest);
  o.Time("ts_end", r.ts_end);
  o.Number("interval_ms", r.interval_ms);
  o.Number("trades", r.trades);
  o.Number("gaps", r.gaps);
  o.Number("lost", r.lost);
  o.Number("version", r.version);
  o.Text("basis", NameOf(r.basis, kBasisNames));
  o.Text("reason", NameOf(r.reason, kReasonNames));
  o.Bits("completeness", r.completeness, kCompletenessNames);
}

void Body(Object& o, const Gap& r) {
  if (r.count == kUnknownCount) {
    o.Null("count");
  } else {
    o.Big("count", r.count);
  }
  o.Big("venue_from", r.venue_from);
  o.Big("venue_to", r.venue_to);
  o.Time("ts_from", r.ts_from);
  o.Text("of_type", NameOf(r.of_type, kTypeNames));
  o.Text("cause", NameOf(r.cause, kCauseNames));
  o.Number("version", r.version);
  o.Text("state", NameOf(r.state, kStateNames));
  o.Text("of_basis", NameOf(r.of_basis, kBasisNames));
}

void Body(Object& o, const Clock& r) { o.Number("shard", r.shard); }

void Body(Object& o, const Status& r) {
  o.Number("exchange", r.exchange);
  o.Text("kind", NameOf(r.kind, kStatusNames));
  o.Number("shard", r.shard);
  o.Number("code", r.code);
  const auto* text = reinterpret_cast<const char*>(r.detail);
  o.Text("detail", {text, strnlen(text, sizeof r.detail)});
}

void AppendNumber(std::string* out, char separator, std::uint64_t value) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out->push_back(separator);
  out->append(text, static_cast<std::size_t>(end - text));
}

}  // namespace

void AppendEventId(const void* record, std::string* out) {
  const auto* header = static_cast<const Header*>(record);
  constexpr const char* kPrefixes[kRecordTypeMax + 1] = {"", "t", "q", "k", "i", "d5", "d10", "d20", "l", "b", "c", "g", "x", "", ""};
  if (!HasStream(header->type)) return;
  out->append(kPrefixes[static_cast<std::size_t>(header->type)]);
  AppendNumber(out, '-', header->instrument_id);
  AppendNumber(out, '-', header->source);
  if (header->type == RecordType::kBar) {
    const auto* bar = static_cast<const Bar*>(record);
    AppendNumber(out, '-', bar->interval_ms);
    AppendNumber(out, '-', static_cast<std::uint64_t>(bar->basis));
    AppendNumber(out, '-', header->ts_event / 1'000'000);
    AppendNumber(out, '-', bar->version);
    return;
  }
  AppendNumber(out, '-', header->epoch);
  AppendNumber(out, '-', header->seq);
}

void AppendRecordJson(const void* record, const InstrumentTable& instruments, std::string* out) {
  const auto* header = static_cast<const Header*>(record);
  const Instrument* instrument = header->instrument_id == 0 ? nullptr : instruments.Find(header->instrument_id);
  Object o(out, instrument);
  o.Text("type", NameOf(header->type, kTypeNames));
  if (HasStream(header->type)) {
    std::string id;
    AppendEventId(record, &id);
    o.Text("id", id);
  }
  if (instrument != nullptr) {
    o.Text("symbol", instrument->symbol);
  } else {
    o.Null("symbol");
    if (header->instrument_id != 0) {
      o.Key("raw");
      out->append("true");
    }
  }
  o.Number("instrument_id", header->instrument_id);
  o.Big("ts_event", header->ts_event);
  o.Big("ts_recv", header->ts_recv);
  o.Number("epoch", header->epoch);
  o.Number("seq", header->seq);
  o.Number("source", header->source);
  o.Bits("flags", header->flags, kFlagNames);
  switch (header->type) {
    case RecordType::kTrade: Body(o, *static_cast<const Trade*>(record)); break;
    case RecordType::kQuote: Body(o, *static_cast<const Quote*>(record)); break;
    case RecordType::kTicker: Body(o, *static_cast<const Ticker*>(record)); break;
    case RecordType::kIndex: Body(o, *static_cast<const Index*>(record)); break;
    case RecordType::kDepth5: Body(o, *static_cast<const Depth5*>(record)); break;
    case RecordType::kDepth10: Body(o, *static_cast<const Depth10*>(record)); break;
    case RecordType::kDepth20: Body(o, *static_cast<const Depth20*>(record)); break;
    case RecordType::kLevel: Body(o, *static_cast<const Level*>(record)); break;
    case RecordType::kBar: Body(o, *static_cast<const Bar*>(record)); break;
    case RecordType::kGap: Body(o, *static_cast<const Gap*>(record)); break;
    case RecordType::kClock: Body(o, *static_cast<const Clock*>(record)); break;
    case RecordType::kStatus: Body(o, *static_cast<const Status*>(record)); break;
    default: break;
  }
  o.End();
}

}  // namespace tw::wire
