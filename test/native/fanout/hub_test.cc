// R5, R6 and R7 on the hub: bounds, exact accounts under random stalls, the last value, snapshot then live.
#include "fanout/hub.h"

#include <gtest/gtest.h>

#include <random>

#include "fanout/support.h"

namespace tw::fanout::test {
namespace {

constexpr const char* kTopic = "market.crypto.trades.binance";

struct Fixture {
  explicit Fixture(HubOptions options = {}) : hub(options, instruments) {
    for (std::uint32_t i = 1; i <= 8; ++i) instruments.Add({.id = (1u << 24) | i, .price_exponent = -2, .size_exponent = -3, .symbol = "S" + std::to_string(i)});
    topic = hub.AddTopic(kTopic);
    topic->live = true;
  }
  static std::uint32_t Id(std::uint32_t i) { return (1u << 24) | i; }
  void Publish(const std::vector<Trade>& trades) {
    hub.Take(topic, 0, offset, batches.Of(trades));
    offset += trades.size();
  }
  InstrumentTable instruments;
  Hub hub;
  Topic* topic;
  Batches batches;
  std::uint64_t offset = 0;
};

constexpr std::size_t kAll = ~std::size_t{0};

TEST(Hub, SnapshotThenLiveWithoutHoleOrRepeat) {
  Fixture f;
  for (std::uint32_t seq = 1; seq <= 10; ++seq) f.Publish({MakeTrade(f.Id(1), seq, seq), MakeTrade(f.Id(2), seq, seq)});
  f.hub.EndBurst();
  Client* client = f.hub.Connect();
  Reader reader;
  f.hub.OnText(client, R"({"op":"subscribe","id":"a","topic":"market.crypto.trades.binance","symbols":["*"]})", 1);
  for (std::uint32_t seq = 11; seq <= 20; ++seq) f.Publish({MakeTrade(f.Id(1), seq, seq), MakeTrade(f.Id(3), seq - 10, seq)});
  f.hub.EndBurst();
  Drain(&f.hub, client, &reader, kAll, 2);
  ASSERT_NE(reader.TextWith("\"op\":\"subscribed\",\"id\":\"a\""), nullptr);
  ASSERT_NE(reader.TextWith("\"symbol\":\"S3\""), nullptr);
  EXPECT_EQ(reader.snapshots, 2u);
  EXPECT_EQ(reader.delivered, 20u);
  EXPECT_EQ(reader.repeats, 0u);
  for (const auto& [key, seen] : reader.streams) EXPECT_EQ(seen.holes, 0u);
  // The announcement of an instrument stands before its first record: S3 came only live.
  EXPECT_EQ(reader.streams.size(), 3u);
}

TEST(Hub, RepeatsInTheLogAreNotDelivered) {
  Fixture f;
  Client* client = f.hub.Connect();
  Reader reader;
  f.hub.OnText(client, R"({"op":"subscribe","topic":"market.crypto.trades.binance","symbols":["S1"]})", 1);
  f.Publish({MakeTrade(f.Id(1), 1), MakeTrade(f.Id(1), 2), MakeTrade(f.Id(2), 1)});
  f.Publish({MakeTrade(f.Id(1), 2), MakeTrade(f.Id(1), 3)});
  f.hub.EndBurst();
  Drain(&f.hub, client, &reader, kAll, 2);
  EXPECT_EQ(reader.delivered, 3u);
  EXPECT_EQ(reader.repeats, 0u);
  EXPECT_EQ(f.topic->counters.repeats, 1u);
  EXPECT_EQ(reader.streams.size(), 1u);
}

// Everything a client was told adds up, whatever it read when.
void RandomStalls(std::uint64_t seed, const std::string& how, bool conflate) {
  std::mt19937_64 random(seed);
  Fixture f({.client = {.client_bytes_max = 16384}});
  Client* slow = f.hub.Connect();
  Client* quick = f.hub.Connect();
  Reader slow_reader;
  Reader quick_reader;
  f.hub.OnText(slow, R"({"op":"subscribe","topic":"market.crypto.trades.binance","symbols":["*"],)" + how + "}", 1);
  f.hub.OnText(quick, R"({"op":"subscribe","topic":"market.crypto.trades.binance","symbols":["*"]})", 1);
  std::uint32_t seq[9] = {};
  std::int64_t price[9] = {};
  std::uint64_t offered = 0;
  std::uint64_t now = 1'000'000'000;
  for (int round = 0; round < 2000; ++round) {
    now += 1'000'000;
    const int batches = static_cast<int>(random() % 4);
    for (int b = 0; b < batches; ++b) {
      std::vector<Trade> trades;
      const std::size_t count = 1 + random() % 40;
      for (std::size_t i = 0; i < count; ++i) {
        const auto instrument = static_cast<std::uint32_t>(1 + random() % 8);
        price[instrument] = static_cast<std::int64_t>(random() % 100000);
        trades.push_back(MakeTrade(f.Id(instrument), ++seq[instrument], price[instrument]));
      }
      offered += count;
      f.Publish(trades);
    }
    f.hub.EndBurst();
    f.hub.Tick(now);
    Drain(&f.hub, quick, &quick_reader, kAll, now);
    if (random() % 3 != 0) Drain(&f.hub, slow, &slow_reader, random() % 3000, now);
    ASSERT_LE(slow->outbox.bytes(Lane::kLive), 16384u + 4096u) << "seed " << seed;
    if (random() % 100 == 0) f.hub.OnText(slow, R"({"op":"stats"})", now);
  }
  f.hub.OnText(slow, R"({"op":"stats","id":"last","streams":true})", now);
  for (int i = 0; i < 100; ++i) Drain(&f.hub, slow, &slow_reader, kAll, now += 1'000'000'000);
  const std::string* stats = slow_reader.TextWith("\"id\":\"last\"");
  ASSERT_NE(stats, nullptr) << "seed " << seed;
  EXPECT_EQ(NumberAfter(*stats, "offered"), offered);
  EXPECT_EQ(NumberAfter(*stats, "delivered"), slow_reader.delivered);
  EXPECT_EQ(NumberAfter(*stats, "delivered") + NumberAfter(*stats, "conflated") + NumberAfter(*stats, "dropped"), offered) << "seed " << seed;
  EXPECT_EQ(slow_reader.noticed, NumberAfter(*stats, "dropped")) << "seed " << seed;
  EXPECT_EQ(slow_reader.repeats, 0u);
  std::uint64_t holes = 0;
  for (std::uint32_t i = 1; i <= 8; ++i) {
    const auto& seen = slow_reader.streams[StreamKey{.instrument_id = f.Id(i), .type = RecordType::kTrade}];
    holes += seen.holes;
    if (conflate) {
      EXPECT_EQ(seen.price, price[i]) << "R7, seed " << seed;
      EXPECT_EQ(seen.last & 0xffffffffu, seq[i]);
    }
  }
  if (conflate) {
    EXPECT_EQ(holes, NumberAfter(*stats, "conflated"));
  } else {
    EXPECT_LE(holes, NumberAfter(*stats, "dropped"));  // What was dropped at a stream's end shows only in the notice.
  }
  EXPECT_EQ(quick_reader.delivered, offered);
  for (const auto& [key, seen] : quick_reader.streams) EXPECT_EQ(seen.holes, 0u);
  const Accounts& a = f.hub.accounts();
  EXPECT_EQ(a.offered, 2 * offered);
  EXPECT_EQ(a.offered, a.delivered + a.conflated + a.dropped);
}

TEST(Hub, AccountsAreExactUnderRandomStalls) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    RandomStalls(seed, R"("mode":"all","overflow":"drop")", false);
    RandomStalls(seed, R"("mode":"conflate")", true);
    RandomStalls(seed, R"("mode":"conflate","intervalMs":10)", true);
  }
}

// A gap record that a slow client does not get is not lost with its meaning: the notice says what the engine had lost there.
TEST(Hub, ADroppedGapRecordStandsInTheNotice) {
  Fixture f({.client = {.client_bytes_max = 4096}});
  Client* client = f.hub.Connect();
  Reader reader;
  f.hub.OnText(client, R"({"op":"subscribe","topic":"market.crypto.trades.binance","symbols":["*"]})", 1);
  Drain(&f.hub, client, &reader, kAll, 2);
  std::uint32_t seq = 0;
  for (; seq < 200;) {  // Beyond the bound: the client holds.
    f.Publish({MakeTrade(f.Id(1), ++seq)});
    f.hub.EndBurst();
  }
  Gap gap{};
  gap.header = MakeTrade(f.Id(1), seq + 1).header;
  gap.header.type = RecordType::kGap;
  gap.of_type = RecordType::kTrade;
  gap.cause = GapCause::kRingFull;
  gap.count = 30;
  gap.version = 1;
  f.hub.Take(f.topic, 0, f.offset++, f.batches.Of(std::vector<Gap>{gap}));
  f.Publish({MakeTrade(f.Id(1), seq + 31)});
  f.hub.EndBurst();
  for (int i = 0; i < 10; ++i) Drain(&f.hub, client, &reader, kAll, 10 + i);
  const std::string* notice = reader.TextWith("\"op\":\"gap\"");
  ASSERT_NE(notice, nullptr);
  EXPECT_EQ(NumberAfter(*notice, "gapRecords"), 1u);
  EXPECT_EQ(NumberAfter(*notice, "lost"), 30u);
  EXPECT_EQ(reader.delivered + NumberAfter(*notice, "count"), 202u);
  EXPECT_NE(notice->find("\"seq\":231"), std::string::npos) << *notice;
}

TEST(Hub, DisconnectPolicyClosesWith1013AndCounts) {
  Fixture f({.client = {.client_bytes_max = 8192}});
  Client* client = f.hub.Connect();
  f.hub.OnText(client, R"({"op":"subscribe","topic":"market.crypto.trades.binance","symbols":["*"],"overflow":"disconnect"})", 1);
  std::uint32_t seq = 0;
  std::uint64_t offered = 0;
  while (client->close_code == 0 && seq < 10000) {
    f.Publish({MakeTrade(f.Id(1), ++seq)});
    ++offered;
    f.hub.EndBurst();
  }
  EXPECT_EQ(client->close_code, 1013);
  EXPECT_TRUE(client->outbox.empty());
  f.hub.Disconnect(client);
  const Accounts& a = f.hub.accounts();
  EXPECT_EQ(a.offered, offered);
  EXPECT_EQ(a.dropped, offered);
  EXPECT_EQ(a.delivered + a.conflated, 0u);
}

TEST(Hub, BinaryAndJsonHaveTheSameRecords) {
  Fixture f;
  Client* client = f.hub.Connect();
  Reader reader;
  f.hub.OnText(client, R"({"op":"subscribe","topic":"market.crypto.trades.binance","symbols":["*"],"format":"json"})", 1);
  f.Publish({MakeTrade(f.Id(1), 1, 12345), MakeTrade(f.Id(2), 1, 7)});
  f.hub.EndBurst();
  Drain(&f.hub, client, &reader, kAll, 2);
  const std::string* live = reader.TextWith("\"kind\":\"live\"");
  ASSERT_NE(live, nullptr);
  EXPECT_NE(live->find("\"price\":\"123.45\""), std::string::npos);
  EXPECT_NE(live->find("\"price\":\"0.07\""), std::string::npos);
}

TEST(Hub, RefusalsNameTheFieldAndWhatItMayBe) {
  Fixture f;
  Client* client = f.hub.Connect();
  const struct {
    const char* text;
    const char* wanted;
  } cases[] = {
      {"nonsense", "\"message\":\"a control message is one JSON object\""},
      {"[]", "\"field\":\"\""},
      {"{}", "\"field\":\"op\""},
      {R"({"op":"subscribe","id":5})", "\"id\":5,\"field\":\"topic\""},
      {R"({"op":"subscribe","topic":"x"})", "\"valid\":[\"market.crypto.trades.binance\"]"},
      {R"({"op":"subscribe","topic":"x","format":"xml"})", "\"field\":\"format\",\"message\":\"not a format\",\"valid\":[\"binary\",\"json\"]"},
      {R"({"op":"subscribe","topic":"x","symbols":["a"]})", "\"field\":\"symbols\""},
      {R"({"op":"subscribe","topic":"x","symbols":[]})", "\"field\":\"symbols\""},
      {R"({"op":"subscribe","topic":"x","symbols":["*","A"]})", "\"field\":\"symbols\""},
      {R"({"op":"subscribe","topic":"x","intervals":["1x"]})", "\"field\":\"intervals\""},
      {R"({"op":"subscribe","topic":"x","intervalMs":50})", "\"field\":\"intervalMs\""},
      {R"({"op":"subscribe","topic":"x","mode":"conflate","intervalMs":1})", "\"field\":\"intervalMs\""},
      {R"({"op":"subscribe","topic":"x","last":0})", "\"field\":\"last\""},
      {R"({"op":"subscribe","topic":"x","colour":1})", "\"field\":\"colour\",\"message\":\"no such field\""},
      {R"({"op":"ping","op":"ping"})", "\"message\":\"given twice\""},
      {R"({"op":"unsubscribe","subscription":9})", "\"field\":\"subscription\""},
      {R"({"op":"ping","id":{}})", "\"field\":\"id\""},
  };
  for (const auto& c : cases) {
    Reader reader;
    f.hub.OnText(client, c.text, 1);
    Drain(&f.hub, client, &reader, kAll, 1);
    ASSERT_EQ(reader.texts.size(), 1u) << c.text;
    EXPECT_NE(reader.texts[0].find("\"op\":\"error\""), std::string::npos) << reader.texts[0];
    EXPECT_NE(reader.texts[0].find(c.wanted), std::string::npos) << reader.texts[0];
  }
  EXPECT_EQ(f.hub.refused_commands(), std::size(cases));
}

TEST(Hub, BarsComeWithHistory) {
  HubOptions options;
  options.bar_history = 100;
  Fixture f(options);
  Topic* bars = f.hub.AddTopic("market.crypto.ohlcv.binance");
  bars->live = true;
  std::vector<Bar> batch;
  for (std::uint32_t seq = 1; seq <= 250; ++seq) {
    Bar bar{};
    bar.header = {.ts_event = seq * 1'000'000'000ull, .ts_recv = 1, .seq = seq, .epoch = 5, .instrument_id = f.Id(1), .type = RecordType::kBar, .source = 0, .flags = kFlagFinal};
    bar.interval_ms = seq % 2 == 0 ? 1000 : 60000;
    bar.header.seq = (seq + 1) / 2;
    bar.basis = BarBasis::kTrade;
    batch.push_back(bar);
  }
  f.hub.Take(bars, 0, 0, f.batches.Of(batch));
  f.hub.EndBurst();
  const auto snapshot = [&](const std::string& more) {
    Client* client = f.hub.Connect();
    Reader reader;
    f.hub.OnText(client, R"({"op":"subscribe","topic":"market.crypto.ohlcv.binance","symbols":["S1"])" + more + "}", 1);
    Drain(&f.hub, client, &reader, kAll, 1);
    EXPECT_EQ(reader.repeats, 0u);
    return reader.snapshots;
  };
  EXPECT_EQ(snapshot(""), 200u);
  EXPECT_EQ(snapshot(R"(,"intervals":["1s"])"), 100u);
  EXPECT_EQ(snapshot(R"(,"intervals":["1m"],"last":7)"), 7u);
  EXPECT_EQ(snapshot(R"(,"snapshot":false)"), 0u);
}

TEST(Hub, AFloodOfCommandsFromAClientThatDoesNotReadEndsIt) {
  Fixture f({.client = {.control_bytes_max = 4096}});
  Client* client = f.hub.Connect();
  for (int i = 0; i < 10000; ++i) f.hub.OnText(client, R"({"op":"ping"})", 1);
  EXPECT_EQ(client->close_code, 1008);
  EXPECT_LE(client->outbox.total_bytes(), 4096u);
}

TEST(Hub, ASnapshotOverTheLimitIsRefused) {
  Fixture f({.client = {.snapshot_bytes_max = 100}});
  f.Publish({MakeTrade(f.Id(1), 1), MakeTrade(f.Id(2), 1)});
  f.hub.EndBurst();
  Client* client = f.hub.Connect();
  Reader reader;
  f.hub.OnText(client, R"({"op":"subscribe","topic":"market.crypto.trades.binance"})", 1);
  Drain(&f.hub, client, &reader, kAll, 1);
  ASSERT_EQ(reader.texts.size(), 1u);
  EXPECT_NE(reader.texts[0].find("\"field\":\"last\""), std::string::npos);
  EXPECT_EQ(client->subscriptions(), 0u);
}

TEST(Hub, AnInstrumentListedLateIsNamedThenAndJoins) {
  Fixture f;
  Client* all = f.hub.Connect();
  Client* one = f.hub.Connect();
  Reader all_reader;
  Reader one_reader;
  f.hub.OnText(all, R"({"op":"subscribe","topic":"market.crypto.trades.binance"})", 1);
  f.hub.OnText(one, R"({"op":"subscribe","topic":"market.crypto.trades.binance","symbols":["LATE"]})", 1);
  f.Publish({MakeTrade(f.Id(99), 1)});  // Nobody has listed it yet.
  f.hub.EndBurst();
  f.instruments.Add({.id = f.Id(99), .price_exponent = -1, .size_exponent = 0, .symbol = "LATE"});
  f.Publish({MakeTrade(f.Id(99), 2)});
  f.hub.EndBurst();
  Drain(&f.hub, all, &all_reader, kAll, 1);
  Drain(&f.hub, one, &one_reader, kAll, 1);
  EXPECT_NE(all_reader.TextWith("\"symbol\":null"), nullptr);
  EXPECT_NE(all_reader.TextWith("\"symbol\":\"LATE\""), nullptr);
  EXPECT_EQ(all_reader.delivered, 2u);
  EXPECT_EQ(one_reader.delivered, 1u);
}

}  // namespace
}  // namespace tw::fanout::test
