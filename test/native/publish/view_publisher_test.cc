// The open views against librdkafka's mock cluster: one message a record, where Kafka's own clients look for it.
#include "publish/view_publisher.h"

#include <set>

#include "support.h"
#include "wire/json.h"

namespace tw::publish {
namespace {

constexpr const char* kTopic = "market.crypto.trades.binance";
constexpr std::uint32_t kViewPartitions = 10;

struct Bench {
  Bench() : log(OpenLog(directory.path())) {
    cluster.MakeTopic(kTopic, kViewPartitions);
    MakeTopic(*log, kTopic, 2);
  }
  void Know(std::uint32_t id, const std::string& symbol) {
    ASSERT_NE(instruments->Add({.id = id, .price_exponent = -2, .size_exponent = -3, .symbol = symbol, .key_hash = 0}), nullptr);
  }
  std::unique_ptr<Publisher> Start(ViewOptions view = {}) {
    ViewPublisherOptions options;
    options.views = {{kTopic, view}};
    options.producer.profile = Profile::kLatency;
    options.producer.properties = cluster.properties();
    // The mock checks no sequence numbers: it would accept what is on its way behind a refused request, which a broker never
    // does.
    options.producer.properties["max.in.flight.requests.per.connection"] = "1";
    auto publisher = MakeViewPublisher(log, instruments, std::move(options));
    EXPECT_EQ(publisher->Start(), "");
    return publisher;
  }
  bool CaughtUp(std::uint64_t offset) const {
    return log->Committed("tickwire-views", kTopic, 0).value_or(0) == offset &&
           log->Committed("tickwire-views", kTopic, 1).value_or(0) == offset;
  }
  std::vector<Stored> Read() const { return cluster.ReadAll(kTopic, kViewPartitions); }

  MockCluster cluster;
  Directory directory;
  std::shared_ptr<journal::Log> log;
  std::shared_ptr<InstrumentTable> instruments = std::make_shared<InstrumentTable>();
};

TEST(ViewPublisher, OneMessageARecordKeyedBySymbol) {
  Bench bench;
  for (std::uint32_t id = 100; id < 104; ++id) bench.Know(id, "SYM" + std::to_string(id));
  AppendTrades(*bench.log, kTopic, 2, 1, 500, 7);
  const auto publisher = bench.Start();
  ASSERT_TRUE(Until([&] { return bench.CaughtUp(1000); })) << publisher->stats().error;
  const PublisherStats stats = publisher->stats();
  publisher->Stop();
  EXPECT_EQ(stats.records, 2000u);
  EXPECT_EQ(stats.messages, 2000u);
  const auto messages = bench.Read();
  ASSERT_EQ(messages.size(), 2000u);
  std::map<std::string, std::uint32_t> next;
  for (const Stored& message : messages) {
    ASSERT_EQ(message.partition, static_cast<std::int32_t>(KeyHash(message.key) % kViewPartitions));
    const auto id = static_cast<std::uint32_t>(std::stoul(message.key.substr(3)));
    const Trade trade = TradeOf(id, ++next[message.key]);
    std::string expected;
    wire::AppendRecordJson(&trade, *bench.instruments, &expected);
    ASSERT_EQ(message.text(), expected);
    ASSERT_EQ(message.timestamp_ms, static_cast<std::int64_t>(trade.header.ts_recv / 1'000'000));
    ASSERT_FALSE(message.opaque);
  }
}

TEST(ViewPublisher, RecordsAsTheyAre) {
  Bench bench;
  for (std::uint32_t id = 100; id < 104; ++id) bench.Know(id, "SYM" + std::to_string(id));
  AppendTrades(*bench.log, kTopic, 2, 1, 3, 2);
  const auto publisher = bench.Start({.encoding = Encoding::kRecord});
  ASSERT_TRUE(Until([&] { return bench.CaughtUp(6); })) << publisher->stats().error;
  publisher->Stop();
  std::map<std::string, std::uint32_t> next;
  for (const Stored& message : bench.Read()) {
    const Trade trade = TradeOf(static_cast<std::uint32_t>(std::stoul(message.key.substr(3))), ++next[message.key]);
    ASSERT_EQ(message.size, sizeof trade);
    ASSERT_EQ(std::memcmp(message.bytes.data(), &trade, sizeof trade), 0);
  }
  EXPECT_EQ(next.size(), 4u);
}

TEST(ViewPublisher, GapsClocksAndTypesWithoutASchemaPassBy) {
  Bench bench;
  bench.Know(100, "SYM100");
  const auto appender = AppenderOf(*bench.log, kTopic, 0);
  Clock clock{};
  clock.header.type = RecordType::kClock;
  Gap gap{};
  gap.header = TradeOf(100, 1).header;
  gap.header.type = RecordType::kGap;
  gap.of_type = RecordType::kTrade;
  Quote quote{};
  quote.header = TradeOf(100, 1).header;
  quote.header.type = RecordType::kQuote;
  AppendBatch(*appender, std::vector<Clock>{clock});
  AppendBatch(*appender, std::vector<Gap>{gap});
  AppendBatch(*appender, std::vector<Quote>{quote});
  AppendBatch(*appender, std::vector<Trade>{TradeOf(100, 1)});
  ViewOptions view{.encoding = Encoding::kAvro};
  view.schema_ids[static_cast<std::size_t>(RecordType::kTrade)] = 7;
  const auto publisher = bench.Start(view);
  ASSERT_TRUE(Until([&] { return bench.log->Committed("tickwire-views", kTopic, 0).value_or(0) == 4; }))
      << publisher->stats().error;
  const PublisherStats stats = publisher->stats();
  publisher->Stop();
  EXPECT_EQ(stats.records, 1u);
  EXPECT_EQ(stats.bad, 1u);
  const auto messages = bench.Read();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].text().substr(0, 5), std::string("\0\0\0\0\7", 5));
}

TEST(ViewPublisher, WaitsForAnInstrumentThatComes) {
  Bench bench;
  bench.Know(101, "SYM101");
  AppendTrades(*bench.log, kTopic, 1, 1, 10, 2);
  const auto publisher = bench.Start({.instrument_wait_ms = 60'000});
  ASSERT_TRUE(Until([&] { return publisher->stats().state == State::kRunning && !publisher->stats().topics.empty(); }));
  bench.Know(100, "SYM100");
  ASSERT_TRUE(Until([&] { return publisher->stats().acknowledged == 20; })) << publisher->stats().error;
  EXPECT_EQ(publisher->stats().unknown_instrument, 0u);
}

TEST(ViewPublisher, CountsAnInstrumentThatDoesNotCome) {
  Bench bench;
  bench.Know(101, "SYM101");
  AppendTrades(*bench.log, kTopic, 1, 1, 10, 2);
  const auto publisher = bench.Start({.instrument_wait_ms = 20});
  ASSERT_TRUE(Until([&] { return bench.log->Committed("tickwire-views", kTopic, 0).value_or(0) == 20; }))
      << publisher->stats().error;
  EXPECT_EQ(publisher->stats().unknown_instrument, 10u);
  EXPECT_EQ(publisher->stats().acknowledged, 10u);
}

TEST(ViewPublisher, TwoMembersShareThePartitions) {
  Bench bench;
  for (std::uint32_t id = 100; id < 104; ++id) bench.Know(id, "SYM" + std::to_string(id));
  const auto first = bench.Start();
  const auto second = bench.Start();
  const auto owns_one = [](const Publisher& publisher) {
    const PublisherStats stats = publisher.stats();
    return stats.topics.size() == 1 && stats.topics[0].partitions == 1;
  };
  ASSERT_TRUE(Until([&] { return owns_one(*first) && owns_one(*second); }));
  AppendTrades(*bench.log, kTopic, 2, 1, 100, 7);
  ASSERT_TRUE(Until([&] { return bench.CaughtUp(200); })) << first->stats().error << second->stats().error;
  first->Stop();
  AppendTrades(*bench.log, kTopic, 2, 101, 100, 7);
  ASSERT_TRUE(Until([&] { return bench.CaughtUp(400); })) << second->stats().error;
  second->Stop();
  EXPECT_EQ(bench.Read().size(), 800u);
}

TEST(ViewPublisher, NothingIsLostInErrorBurstsAndOutages) {
  Bench bench;
  for (std::uint32_t id = 100; id < 104; ++id) bench.Know(id, "SYM" + std::to_string(id));
  const auto publisher = bench.Start();
  for (std::uint32_t round = 0; round < 3; ++round) {
    rd_kafka_mock_push_request_errors(*bench.cluster, 0 /* Produce */, 2, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
    for (int broker = 1; broker <= 3; ++broker) rd_kafka_mock_broker_set_down(*bench.cluster, broker);
    AppendTrades(*bench.log, kTopic, 2, round * 500 + 1, 500, 7);
    for (int broker = 1; broker <= 3; ++broker) rd_kafka_mock_broker_set_up(*bench.cluster, broker);
    ASSERT_TRUE(Until([&] { return bench.CaughtUp((round + 1) * 1000); })) << publisher->stats().error;
  }
  EXPECT_EQ(publisher->stats().failed, 0u);
  publisher->Stop();
  std::set<std::string> different;
  for (const Stored& message : bench.Read()) different.insert(message.text());
  EXPECT_EQ(different.size(), 6000u);
}

}  // namespace
}  // namespace tw::publish
