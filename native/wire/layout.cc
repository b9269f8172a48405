#include "wire/layout.h"

#include <cstddef>
#include <type_traits>

#include "model/reason.h"
#include "model/record.h"
#include "wire/generated/tickwire_generated.h"

namespace tw::wire {
namespace {

template <class T>
const char* KindOf() {
  if constexpr (std::is_enum_v<T>) {
    return KindOf<std::underlying_type_t<T>>();
  } else if constexpr (std::is_same_v<T, std::uint8_t>) {
    return "u8";
  } else if constexpr (std::is_same_v<T, std::uint16_t>) {
    return "u16";
  } else if constexpr (std::is_same_v<T, std::uint32_t>) {
    return "u32";
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    return "u64";
  } else {
    static_assert(std::is_same_v<T, std::int64_t>);
    return "i64";
  }
}

class Writer {
 public:
  void Begin(const char* name, int type, std::size_t size) {
    text_ += std::string(first_record_ ? "" : ",") + "\n  \"" + name + "\":{\"type\":" + std::to_string(type) + ",\"size\":" + std::to_string(size) + ",\"fields\":{";
    first_record_ = false;
    first_field_ = true;
  }
  // meaning: "price" (scaled by the price exponent), "size" (by the size exponent), "time" (ns), or "" (plain).
  void Field(const std::string& name, const char* kind, std::size_t offset, const char* meaning = "") {
    text_ += std::string(first_field_ ? "" : ",") + "\n    \"" + name + "\":{\"kind\":\"" + kind + "\",\"offset\":" + std::to_string(offset);
    if (*meaning != 0) text_ += std::string(",\"meaning\":\"") + meaning + "\"";
    text_ += "}";
    first_field_ = false;
  }
  void End() { text_ += "\n  }}"; }
  std::string text_;

 private:
  bool first_record_ = true;
  bool first_field_ = true;
};

#define TW_FIELD(STRUCT, FIELD, MEANING) writer.Field(#FIELD, KindOf<decltype(STRUCT::FIELD)>(), offsetof(STRUCT, FIELD), MEANING)

void HeaderFields(Writer& writer) {
  TW_FIELD(Header, ts_event, "time");
  TW_FIELD(Header, ts_recv, "time");
  TW_FIELD(Header, seq, "");
  TW_FIELD(Header, epoch, "");
  TW_FIELD(Header, instrument_id, "");
  TW_FIELD(Header, type, "");
  TW_FIELD(Header, source, "");
  TW_FIELD(Header, flags, "");
}

template <std::size_t N>
void DepthRecord(Writer& writer, const char* name, RecordType type) {
  using Record = Depth<N>;
  writer.Begin(name, static_cast<int>(type), sizeof(Record));
  HeaderFields(writer);
  for (int side = 0; side < 2; ++side) {
    for (std::size_t i = 0; i < N; ++i) {
      const std::size_t at = (side == 0 ? offsetof(Record, bids) : offsetof(Record, asks)) + i * sizeof(DepthLevel);
      const std::string prefix = (side == 0 ? "bid_" : "ask_") + std::to_string(i) + "_";
      writer.Field(prefix + "price", "i64", at + offsetof(DepthLevel, price), "price");
      writer.Field(prefix + "size", "i64", at + offsetof(DepthLevel, size), "size");
      writer.Field(prefix + "orders", "u32", at + offsetof(DepthLevel, orders));
    }
  }
  writer.End();
}

void Records(Writer& writer) {
  writer.Begin("trade", static_cast<int>(RecordType::kTrade), sizeof(Trade));
  HeaderFields(writer);
  TW_FIELD(Trade, price, "price");
  TW_FIELD(Trade, size, "size");
  TW_FIELD(Trade, trade_id, "");
  TW_FIELD(Trade, conditions, "");
  TW_FIELD(Trade, fills, "");
  TW_FIELD(Trade, side, "side");
  writer.End();

  writer.Begin("quote", static_cast<int>(RecordType::kQuote), sizeof(Quote));
  HeaderFields(writer);
  TW_FIELD(Quote, bid_price, "price");
  TW_FIELD(Quote, ask_price, "price");
  TW_FIELD(Quote, bid_size, "size");
  TW_FIELD(Quote, ask_size, "size");
  writer.End();

  writer.Begin("ticker", static_cast<int>(RecordType::kTicker), sizeof(Ticker));
  HeaderFields(writer);
  TW_FIELD(Ticker, last_price, "price");
  TW_FIELD(Ticker, last_size, "size");
  TW_FIELD(Ticker, average_price, "price");
  TW_FIELD(Ticker, volume, "size");
  TW_FIELD(Ticker, buy_quantity, "size");
  TW_FIELD(Ticker, sell_quantity, "size");
  TW_FIELD(Ticker, open_interest, "size");
  TW_FIELD(Ticker, open_interest_day_high, "size");
  TW_FIELD(Ticker, open_interest_day_low, "size");
  TW_FIELD(Ticker, open, "price");
  TW_FIELD(Ticker, high, "price");
  TW_FIELD(Ticker, low, "price");
  TW_FIELD(Ticker, previous_close, "price");
  TW_FIELD(Ticker, ts_last_trade, "time");
  writer.End();

  writer.Begin("index", static_cast<int>(RecordType::kIndex), sizeof(Index));
  HeaderFields(writer);
  TW_FIELD(Index, price, "price");
  TW_FIELD(Index, settle_price, "price");
  TW_FIELD(Index, funding_rate, "");
  TW_FIELD(Index, ts_next_funding, "time");
  writer.End();

  DepthRecord<5>(writer, "depth5", RecordType::kDepth5);
  DepthRecord<10>(writer, "depth10", RecordType::kDepth10);
  DepthRecord<20>(writer, "depth20", RecordType::kDepth20);

  writer.Begin("level", static_cast<int>(RecordType::kLevel), sizeof(Level));
  HeaderFields(writer);
  TW_FIELD(Level, price, "price");
  TW_FIELD(Level, size, "size");
  TW_FIELD(Level, update_id, "");
  TW_FIELD(Level, orders, "");
  TW_FIELD(Level, side, "book_side");
  TW_FIELD(Level, action, "level_action");
  writer.End();

  writer.Begin("bar", static_cast<int>(RecordType::kBar), sizeof(Bar));
  HeaderFields(writer);
  TW_FIELD(Bar, open, "price");
  TW_FIELD(Bar, high, "price");
  TW_FIELD(Bar, low, "price");
  TW_FIELD(Bar, close, "price");
  TW_FIELD(Bar, volume, "size");
  TW_FIELD(Bar, turnover_low, "");
  TW_FIELD(Bar, turnover_high, "");
  TW_FIELD(Bar, vwap, "price");
  TW_FIELD(Bar, first, "position");
  TW_FIELD(Bar, last, "position");
  TW_FIELD(Bar, buy_volume, "size");
  TW_FIELD(Bar, open_interest, "size");
  TW_FIELD(Bar, ts_end, "time");
  TW_FIELD(Bar, interval_ms, "");
  TW_FIELD(Bar, trades, "");
  TW_FIELD(Bar, gaps, "");
  TW_FIELD(Bar, lost, "");
  TW_FIELD(Bar, version, "");
  TW_FIELD(Bar, basis, "bar_basis");
  TW_FIELD(Bar, reason, "bar_reason");
  TW_FIELD(Bar, completeness, "");
  TW_FIELD(Bar, price_kind, "");
  writer.Field("cause_offset", "u64", offsetof(Bar, cause) + offsetof(Cause, offset));
  writer.Field("cause_index", "u32", offsetof(Bar, cause) + offsetof(Cause, index));
  writer.Field("cause_ordinal", "u16", offsetof(Bar, cause) + offsetof(Cause, ordinal));
  writer.Field("cause_input", "u16", offsetof(Bar, cause) + offsetof(Cause, input));
  writer.End();

  writer.Begin("gap", static_cast<int>(RecordType::kGap), sizeof(Gap));
  HeaderFields(writer);
  TW_FIELD(Gap, count, "");
  TW_FIELD(Gap, venue_from, "");
  TW_FIELD(Gap, venue_to, "");
  TW_FIELD(Gap, ts_from, "time");
  TW_FIELD(Gap, of_type, "record_type");
  TW_FIELD(Gap, cause, "gap_cause");
  TW_FIELD(Gap, version, "");
  TW_FIELD(Gap, state, "gap_state");
  TW_FIELD(Gap, of_basis, "bar_basis");
  writer.End();

  writer.Begin("clock", static_cast<int>(RecordType::kClock), sizeof(Clock));
  HeaderFields(writer);
  TW_FIELD(Clock, shard, "");
  writer.End();

  writer.Begin("status", static_cast<int>(RecordType::kStatus), sizeof(Status));
  HeaderFields(writer);
  TW_FIELD(Status, exchange, "");
  TW_FIELD(Status, kind, "status_kind");
  TW_FIELD(Status, shard, "");
  TW_FIELD(Status, code, "");
  for (std::size_t i = 0; i < sizeof(Status::detail); i += 8) {
    writer.Field("detail_" + std::to_string(i / 8), "u64", offsetof(Status, detail) + i, "text");
  }
  writer.End();
}

constexpr const char* kEnums = R"(
  "record_type":{"trade":1,"quote":2,"ticker":3,"index":4,"depth5":5,"depth10":6,"depth20":7,"level":8,"bar":9,"chain_row":10,"greeks":11,"gap":12,"clock":13,"status":14},
  "side":{"unknown":0,"buy":1,"sell":2},
  "book_side":{"bid":1,"ask":2},
  "level_action":{"set":1,"delete":2,"clear":3},
  "gap_cause":{"unknown":0,"venue_sequence":1,"reconnect":2,"ring_full":3,"checksum":4,"retention":5,"corruption":6,"conflated":7,"overflow":8},
  "gap_state":{"open":0,"repaired":1,"unrepairable":2},
  "bar_basis":{"trade":1,"ticker":2,"bid":3,"ask":4,"mid":5,"bar":6},
  "bar_reason":{"first":0,"late":1,"backfill":2,"official":3,"bust":4},
  "status_kind":{"session_opened":1,"session_closed":2,"disconnected":3,"message":4}
)";
constexpr const char* kFlags = R"({"snapshot":1,"last_of_update":2,"gap_before":4,"sampled":8,"event_time_ours":16,"correction":32,"suspect":64,"stale":128,"off_market":256,"final":512})";
constexpr const char* kCompleteness = R"({"gap_inside":1,"loss_unknown":2,"cut":4,"start_unseen":8})";

// Places of the envelope's fields in its FlatBuffers vtable.
std::string Envelope() {
  std::string text = "{\"identifier\":\"TWB1\"";
  const auto slot = [&](const char* name, int place) { text += std::string(",\"") + name + "\":" + std::to_string(place); };
  slot("type", fb::Batch::VT_TYPE);
  slot("record_size", fb::Batch::VT_RECORD_SIZE);
  slot("count", fb::Batch::VT_COUNT);
  slot("flags", fb::Batch::VT_FLAGS);
  slot("origin", fb::Batch::VT_ORIGIN);
  slot("ts_append", fb::Batch::VT_TS_APPEND);
  slot("ts_recv_first", fb::Batch::VT_TS_RECV_FIRST);
  slot("ts_event_max", fb::Batch::VT_TS_EVENT_MAX);
  slot("trade", fb::Batch::VT_TRADES);
  slot("quote", fb::Batch::VT_QUOTES);
  slot("ticker", fb::Batch::VT_TICKERS);
  slot("index", fb::Batch::VT_INDEXES);
  slot("depth5", fb::Batch::VT_DEPTH5S);
  slot("depth10", fb::Batch::VT_DEPTH10S);
  slot("depth20", fb::Batch::VT_DEPTH20S);
  slot("level", fb::Batch::VT_LEVELS);
  slot("bar", fb::Batch::VT_BARS);
  slot("gap", fb::Batch::VT_GAPS);
  slot("clock", fb::Batch::VT_CLOCKS);
  slot("status", fb::Batch::VT_STATUSES);
  return text + "}";
}

}  // namespace

std::string LayoutJson() {
  Writer writer;
  Records(writer);
  std::string reasons;
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    reasons += std::string(i == 0 ? "" : ",") + "\"" + ReasonName(static_cast<Reason>(i)) + "\"";
  }
  return "{\"format\":1,\"envelope\":" + Envelope() + ",\"no_price\":\"-9223372036854775808\",\n\"records\":{" + writer.text_ + "\n},\n\"enums\":{" + kEnums + "},\n\"flags\":" + kFlags +
         ",\n\"completeness\":" + kCompleteness + ",\n\"reasons\":[" + reasons + "]}\n";
}

}  // namespace tw::wire
