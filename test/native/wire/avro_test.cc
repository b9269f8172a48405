// The Avro encoder against the schemas that stand in the registry, read by a decoder that knows the schemas alone.
#include "wire/avro.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <vector>

#include "avro_reader.h"
#include "wire/json.h"

namespace tw::wire {
namespace {

constexpr std::uint32_t kSchemaId = 0x01020304;
constexpr std::int64_t kLow = std::numeric_limits<std::int64_t>::min() + 1;
constexpr std::int64_t kHigh = std::numeric_limits<std::int64_t>::max();

std::string SchemaFile(const std::string& name) {
  const auto root = std::filesystem::path(__FILE__).parent_path() / "../../..";
  return (root / "config/schema/avro" / (name + ".avsc")).string();
}

Instrument Bitcoin() { return {.id = 16777217, .price_exponent = -4, .size_exponent = -8, .symbol = "BTCUSDT", .key_hash = 0}; }

template <class Record>
Record Of(RecordType type) {
  Record record{};
  record.header.ts_event = 1'700'000'000'123'456'789ull;
  record.header.ts_recv = 1'700'000'000'123'999'999ull;
  record.header.seq = 0xffffffffu;
  record.header.epoch = 1'700'000'000;
  record.header.instrument_id = 16777217;
  record.header.type = type;
  record.header.source = 0x81;
  record.header.flags = kFlagSnapshot | kFlagFinal;
  return record;
}

// What the header gives in every schema was looked at; the record's own fields are left.
template <class Record>
std::map<std::string, std::string> Decoded(const std::string& schema, const Record& record) {
  AvroEncoder encoder;
  const auto bytes = encoder.Encode(&record, Bitcoin(), kSchemaId);
  EXPECT_GT(bytes.size(), 5u);
  const std::vector<std::uint8_t> wire(bytes.begin(), bytes.begin() + 5);
  EXPECT_EQ(wire, (std::vector<std::uint8_t>{0, 1, 2, 3, 4}));
  auto fields = AvroReader(SchemaFile(schema)).Read(bytes.subspan(5));
  std::string id;
  AppendEventId(&record, &id);
  const std::map<std::string, std::string> header = {{"symbol", "BTCUSDT"},
                                                     {"instrument_id", "16777217"},
                                                     {"ts_event", "1700000000123456789"},
                                                     {"ts_recv", "1700000000123999999"},
                                                     {"epoch", "1700000000"},
                                                     {"seq", "4294967295"},
                                                     {"source", "129"},
                                                     {"flags", "513"},
                                                     {"price_exponent", "-4"},
                                                     {"size_exponent", "-8"},
                                                     {"event_id", id}};
  for (const auto& [name, value] : header) {
    EXPECT_EQ(fields[name], value) << name;
    fields.erase(name);
  }
  return fields;
}

using Fields = std::map<std::string, std::string>;

TEST(Avro, Trade) {
  auto trade = Of<Trade>(RecordType::kTrade);
  trade.price = kHigh;
  trade.size = kLow;
  trade.trade_id = ~0ull;
  trade.conditions = 0xffffffffu;
  trade.fills = 65535;
  trade.side = Side::kSell;
  EXPECT_EQ(Decoded("trade", trade), (Fields{{"price", std::to_string(kHigh)},
                                             {"size", std::to_string(kLow)},
                                             {"trade_id", "-1"},
                                             {"conditions", "4294967295"},
                                             {"fills", "65535"},
                                             {"side", "sell"}}));
}

TEST(Avro, QuoteWithAnEmptySide) {
  auto quote = Of<Quote>(RecordType::kQuote);
  quote.bid_price = kNoPrice;
  quote.bid_size = kNoSize;
  quote.ask_price = -5;
  quote.ask_size = 0;
  EXPECT_EQ(Decoded("quote", quote),
            (Fields{{"bid_price", "null"}, {"bid_size", "null"}, {"ask_price", "-5"}, {"ask_size", "0"}}));
}

TEST(Avro, Ticker) {
  auto ticker = Of<Ticker>(RecordType::kTicker);
  std::int64_t* value = &ticker.last_price;
  for (int i = 0; i < 13; ++i) value[i] = i + 1;
  ticker.high = kNoPrice;
  EXPECT_EQ(Decoded("ticker", ticker), (Fields{{"last_price", "1"},
                                               {"last_size", "2"},
                                               {"average_price", "3"},
                                               {"volume", "4"},
                                               {"buy_quantity", "5"},
                                               {"sell_quantity", "6"},
                                               {"open_interest", "7"},
                                               {"open_interest_day_high", "8"},
                                               {"open_interest_day_low", "9"},
                                               {"open", "10"},
                                               {"high", "null"},
                                               {"low", "12"},
                                               {"previous_close", "13"},
                                               {"ts_last_trade", "null"}}));
}

TEST(Avro, Index) {
  auto index = Of<Index>(RecordType::kIndex);
  index.price = 1;
  index.settle_price = kNoPrice;
  index.funding_rate = -3;
  index.ts_next_funding = 7;
  EXPECT_EQ(Decoded("index", index),
            (Fields{{"price", "1"}, {"settle_price", "null"}, {"funding_rate", "-3"}, {"ts_next_funding", "7"}}));
}

TEST(Avro, DepthOfEverySize) {
  const auto fill = [](DepthLevel* levels, std::size_t size, std::size_t count) {
    for (std::size_t i = 0; i < size; ++i) levels[i].price = levels[i].size = kNoPrice;
    for (std::size_t i = 0; i < count; ++i) levels[i] = {static_cast<std::int64_t>(i), kLow, 0xffffffffu, 0};
  };
  auto five = Of<Depth5>(RecordType::kDepth5);
  fill(five.bids, 5, 2);
  fill(five.asks, 5, 0);
  EXPECT_EQ(Decoded("depth", five), (Fields{{"levels", "5"},
                                            {"bids[0].price", "0"},
                                            {"bids[0].size", std::to_string(kLow)},
                                            {"bids[0].orders", "4294967295"},
                                            {"bids[1].price", "1"},
                                            {"bids[1].size", std::to_string(kLow)},
                                            {"bids[1].orders", "4294967295"},
                                            {"bids.size", "2"},
                                            {"asks.size", "0"}}));
  auto ten = Of<Depth10>(RecordType::kDepth10);
  fill(ten.bids, 10, 10);
  fill(ten.asks, 10, 1);
  auto fields = Decoded("depth", ten);
  EXPECT_EQ(fields["levels"], "10");
  EXPECT_EQ(fields["bids.size"], "10");
  EXPECT_EQ(fields["asks.size"], "1");
  auto twenty = Of<Depth20>(RecordType::kDepth20);
  fill(twenty.bids, 20, 20);
  fill(twenty.asks, 20, 20);
  fields = Decoded("depth", twenty);
  EXPECT_EQ(fields["levels"], "20");
  EXPECT_EQ(fields["asks[19].price"], "19");
}

TEST(Avro, Level) {
  auto level = Of<Level>(RecordType::kLevel);
  level.price = 3;
  level.size = 4;
  level.update_id = 5;
  level.orders = 6;
  level.side = BookSide::kAsk;
  level.action = LevelAction::kDelete;
  EXPECT_EQ(Decoded("level", level),
            (Fields{{"price", "3"}, {"size", "4"}, {"update_id", "5"}, {"orders", "6"}, {"side", "ask"}, {"action", "delete"}}));
}

TEST(Avro, ValuesThatTheSchemaDoesNotKnowAreTheFirst) {
  auto level = Of<Level>(RecordType::kLevel);
  level.side = static_cast<BookSide>(77);
  level.action = static_cast<LevelAction>(255);
  const auto fields = Decoded("level", level);
  EXPECT_EQ(fields.at("side"), "unknown");
  EXPECT_EQ(fields.at("action"), "unknown");
}

TEST(Avro, Bar) {
  auto bar = Of<Bar>(RecordType::kBar);
  bar.open = bar.high = bar.low = bar.close = 5;
  bar.volume = 6;
  bar.turnover_low = ~0ull;  // -1, of exponent -12.
  bar.turnover_high = -1;
  bar.vwap = kNoPrice;
  bar.first = 1;
  bar.last = 2;
  bar.buy_volume = kNoSize;
  bar.open_interest = 8;
  bar.ts_end = 9;
  bar.interval_ms = 60'000;
  bar.trades = bar.gaps = bar.lost = 0xffffffffu;
  bar.version = 2;
  bar.basis = BarBasis::kMid;
  bar.reason = BarReason::kBust;
  bar.completeness = kBarCut;
  EXPECT_EQ(Decoded("bar", bar), (Fields{{"open", "5"},
                                         {"high", "5"},
                                         {"low", "5"},
                                         {"close", "5"},
                                         {"volume", "6"},
                                         {"turnover", "-0.000000000001"},
                                         {"vwap", "null"},
                                         {"first", "1"},
                                         {"last", "2"},
                                         {"buy_volume", "null"},
                                         {"open_interest", "8"},
                                         {"ts_end", "9"},
                                         {"interval_ms", "60000"},
                                         {"trades", "4294967295"},
                                         {"gaps", "4294967295"},
                                         {"lost", "4294967295"},
                                         {"version", "2"},
                                         {"basis", "mid"},
                                         {"reason", "bust"},
                                         {"completeness", "4"}}));
}

TEST(Avro, Gap) {
  auto gap = Of<Gap>(RecordType::kGap);
  gap.count = kUnknownCount;
  gap.venue_from = 1;
  gap.venue_to = 2;
  gap.of_type = RecordType::kQuote;
  gap.cause = GapCause::kOverflow;
  gap.version = 1;
  gap.state = GapState::kRepaired;
  EXPECT_EQ(Decoded("gap", gap), (Fields{{"count", "null"},
                                         {"venue_from", "1"},
                                         {"venue_to", "2"},
                                         {"ts_from", "null"},
                                         {"of_type", "quote"},
                                         {"cause", "overflow"},
                                         {"version", "1"},
                                         {"state", "repaired"},
                                         {"of_basis", "none"}}));
}

TEST(Avro, TypesWithoutASchemaAreEmpty) {
  const auto clock = Of<Clock>(RecordType::kClock);
  AvroEncoder encoder;
  EXPECT_TRUE(encoder.Encode(&clock, Bitcoin(), 1).empty());
}

}  // namespace
}  // namespace tw::wire
