#include "feed/csv_source.h"

#include <gtest/gtest.h>

#include "feed/vector_sink.h"

namespace tw::feed {
namespace {

constexpr const char* kTrades =
    R"({"kind":"trade","symbol":"X","time":{"columns":[0],"unitExponent":-3,"sinceMidnight":true,"dateDays":15985,"zone":[[0,-14400]]},
        "fields":{"price":{"column":1,"scale":4},"size":{"column":2},"side":{"column":3}},"buy":["B"],"sell":["S"],
        "filter":{"column":4,"op":"eq","values":["0"]}})";

struct Replay {
  InstrumentTable table;
  VectorSink sink;
  Session session{{.epoch = 1, .has_receive_times = false}, &sink};
  std::unique_ptr<RecordSource> source;
  explicit Replay(const char* program) {
    session.AddInstrument(table.Add({.id = 0x0d000001, .price_exponent = -4, .size_exponent = 0, .symbol = "X"}), "X", 0);
    std::string error;
    source = MakeCsvSource(program, &session, &error);
    EXPECT_NE(source, nullptr) << error;
  }
  void Feed(std::string_view text, bool last = true) { source->Feed({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, last); }
  std::uint64_t reason(Reason r) const { return session.stats().reasons[r]; }
};

TEST(CsvSource, TradesWithSideFilterAndZone) {
  Replay replay(kTrades);
  replay.Feed("1000,1815200,283,S,0\r\n1001,1815300,5,B,1\n1002,1815400,7,B,0");
  ASSERT_EQ(replay.sink.count(RecordType::kTrade), 2u);
  const auto& trade = replay.sink.As<Trade>(0);
  EXPECT_EQ(trade.price, 1'815'200);
  EXPECT_EQ(trade.side, Side::kSell);
  EXPECT_EQ(trade.header.ts_event, (15985ull * 86'400 + 14'400 + 1) * 1'000'000'000);
  EXPECT_EQ(trade.header.ts_recv, trade.header.ts_event);
  EXPECT_EQ(replay.reason(Reason::kFiltered), 1u);
}

TEST(CsvSource, ABadRowIsCountedAndSteppedOver) {
  Replay replay(kTrades);
  replay.Feed("x,1,1,B,0\n1,NaN,1,B,0\n1,1e999,1,B,0\n1,1,-5,B,0\n1,1.00001,1,B,0\n99999999999,1,1,B,0\n1\n1,10000,1,B,0\n");
  EXPECT_EQ(replay.reason(Reason::kBadTime), 2u);
  EXPECT_EQ(replay.reason(Reason::kBadNumber), 3u);
  EXPECT_EQ(replay.reason(Reason::kOverflow), 1u);
  EXPECT_EQ(replay.reason(Reason::kFiltered), 1u);  // A row without the filter's column does not pass.
  EXPECT_EQ(replay.sink.count(RecordType::kGap), 1u);
  EXPECT_EQ(replay.sink.count(RecordType::kTrade), 1u);
}

TEST(CsvSource, QuoteBarsAreTwoStreamsWithTheirOwnNumbers) {
  Replay replay(
      R"({"kind":"quote_bar","symbol":"X","time":{"columns":[0],"unitExponent":0},"intervalMs":1000,"fields":{
          "bid_open":{"column":1,"zeroIsNone":true},"bid_high":{"column":2,"zeroIsNone":true},"bid_low":{"column":3,"zeroIsNone":true},
          "bid_close":{"column":4,"zeroIsNone":true},"ask_open":{"column":5},"ask_high":{"column":6},"ask_low":{"column":7},"ask_close":{"column":8}}})");
  replay.Feed("1400000000,1,1,1,1,2,2,2,2\n1400000001,0,0,0,0,2,2,2,2\n1400000002,1,1,1,1,2,2,2,2\n");
  std::vector<std::uint32_t> bid, ask;
  for (std::size_t i = 0; i < replay.sink.size(); ++i) {
    if (replay.sink.header(i).type != RecordType::kBar) continue;
    const auto& bar = replay.sink.As<Bar>(i);
    (bar.basis == BarBasis::kBid ? bid : ask).push_back(bar.header.seq);
  }
  EXPECT_EQ(bid, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(ask, (std::vector<std::uint32_t>{1, 2, 3}));
}

TEST(CsvSource, TheNextFileOfARecordingGoesOnCounting) {
  constexpr const char* program =
      R"({"kind":"bar","symbol":"X","time":{"columns":[0],"unitExponent":0},"intervalMs":1000,"fields":{
          "open":{"column":1},"high":{"column":1},"low":{"column":1},"close":{"column":1}}})";
  InstrumentTable table;
  VectorSink sink;
  Session session({.has_receive_times = false}, &sink);  // The epoch comes with the first row.
  session.AddInstrument(table.Add({.id = 0x0d000001, .price_exponent = -4, .size_exponent = 0, .symbol = "X"}), "X", 0);
  for (const std::string_view file : {"1400000000,1\n1400000001,1\n", "1400000002,1\n1400000003,1\n"}) {
    std::string error;
    const std::unique_ptr<RecordSource> source = MakeCsvSource(program, &session, &error);
    ASSERT_NE(source, nullptr) << error;
    source->Feed({reinterpret_cast<const std::uint8_t*>(file.data()), file.size()}, true);
  }
  std::vector<std::uint64_t> positions;
  for (std::size_t i = 0; i < sink.size(); ++i) {
    if (sink.header(i).type == RecordType::kBar) positions.push_back(sink.header(i).position());
  }
  const std::uint64_t epoch = 1'400'000'000ull << 32;
  EXPECT_EQ(positions, (std::vector<std::uint64_t>{epoch | 1, epoch | 2, epoch | 3, epoch | 4}));
}

TEST(CsvSource, AHeaderWithoutTheColumnEndsIt) {
  constexpr const char* program =
      R"({"kind":"quote","header":true,"symbolColumn":"s","time":{"columns":["t"],"unitExponent":-9},
          "fields":{"bid":{"column":"b"},"ask":{"column":"a"}}})";
  Replay good(program);
  good.Feed("\xef\xbb\xbfs,t,a,b\nX,1400000000000000000,2,1\nx/y,1400000000000000000,2,1\nY,1400000000000000000,2,1\n");
  EXPECT_EQ(good.sink.count(RecordType::kQuote), 1u);
  EXPECT_EQ(good.sink.As<Quote>(0).bid_price, 10'000);
  EXPECT_EQ(good.reason(Reason::kBadSymbol), 1u);
  EXPECT_EQ(good.reason(Reason::kUnknownInstrument), 1u);
  Replay bad(program);
  bad.Feed("s,t,a\nX,1400000000000000000,2\n");
  EXPECT_EQ(bad.reason(Reason::kUnknownType), 1u);
  EXPECT_EQ(bad.sink.size(), 0u);
}

TEST(CsvSource, CutAtEveryByteIsTheWhole) {
  constexpr std::string_view text = "1000,1815200,283,S,0\r\n1001,\"1815300\",5,B,0\n\n1500,1815400,7,B,0";
  Replay whole(kTrades);
  whole.Feed(text);
  ASSERT_EQ(whole.sink.count(RecordType::kTrade), 3u);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Replay replay(kTrades);
    replay.Feed(text.substr(0, cut), false);
    replay.Feed(text.substr(cut), true);
    ASSERT_EQ(replay.sink.bytes(), whole.sink.bytes()) << cut;
  }
}

}  // namespace
}  // namespace tw::feed
