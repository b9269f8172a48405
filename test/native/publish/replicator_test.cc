// The replicator against librdkafka's mock cluster: what arrives, in which order, under errors and outages.
#include "publish/replicator.h"

#include "support.h"

namespace tw::publish {
namespace {

constexpr const char* kTopic = "market.crypto.trades.binance";
constexpr const char* kKafkaTopic = "market.crypto.trades.binance.batch";

struct Bench {
  explicit Bench(std::uint32_t count = 4) : partitions(count), log(OpenLog(directory.path())) {
    cluster.MakeTopic(kKafkaTopic, static_cast<int>(partitions));
    MakeTopic(*log, kTopic, partitions);
  }
  std::unique_ptr<Publisher> Start(ReplicatorOptions options = {}) {
    if (options.topics.empty()) options.topics = {kTopic};
    options.producer.profile = Profile::kLatency;
    for (const auto& [name, value] : cluster.properties()) options.producer.properties[name] = value;
    auto replicator = MakeReplicator(log, std::move(options));
    EXPECT_EQ(replicator->Start(), "");
    return replicator;
  }
  std::uint64_t Committed(const std::string& topic, std::uint32_t partition) const {
    return log->Committed("tickwire-replicator", topic, partition).value_or(0);
  }
  bool CaughtUp(std::uint64_t records) const {
    for (std::uint32_t partition = 0; partition < partitions; ++partition) {
      if (Committed(kTopic, partition) < records) return false;
    }
    return true;
  }
  std::vector<Stored> Read() const { return cluster.ReadAll(kKafkaTopic, static_cast<int>(partitions)); }

  std::uint32_t partitions;
  MockCluster cluster;
  Directory directory;
  std::shared_ptr<journal::Log> log;
};

// The mock checks no sequence numbers: it would accept what is on its way behind a refused request, which a broker never does.
ReplicatorOptions OneRequestAtATime() {
  ReplicatorOptions options;
  options.producer.properties["max.in.flight.requests.per.connection"] = "1";
  return options;
}

TEST(Replicator, KeepsOrderPartitionAndTime) {
  Bench bench;
  AppendTrades(*bench.log, kTopic, bench.partitions, 1, 2000);
  const auto replicator = bench.Start();
  ASSERT_TRUE(Until([&] { return bench.CaughtUp(4000); })) << replicator->stats().error;
  AppendTrades(*bench.log, kTopic, bench.partitions, 2001, 500);
  ASSERT_TRUE(Until([&] { return bench.CaughtUp(5000); })) << replicator->stats().error;
  const PublisherStats stats = replicator->stats();
  replicator->Stop();

  const auto messages = bench.Read();
  ExpectWhole(messages, bench.partitions, 2500);
  for (const Stored& message : messages) {
    wire::BatchView batch;
    ASSERT_EQ(wire::BatchView::Parse(message.value(), &batch), wire::BatchError::kNone);
    ASSERT_EQ(batch.info().origin, 1u);
    ASSERT_EQ(message.timestamp_ms, static_cast<std::int64_t>(batch.info().ts_recv_first / 1'000'000));
    for (std::uint32_t i = 0; i < batch.size(); ++i)
      ASSERT_EQ((batch[i]->instrument_id - 100) / 2, static_cast<std::uint32_t>(message.partition));
  }
  EXPECT_EQ(stats.records, 20'000u);
  EXPECT_EQ(stats.acknowledged, messages.size());
  EXPECT_EQ(stats.failed, 0u);
  // The first 4,000 of a partition stood ready: they went out in full messages.
  EXPECT_LE(messages.size(), 4 * (4000 / 256 + 1 + 200));
  EXPECT_GT(stats.ack_ns_p50, 0u);
  ASSERT_EQ(stats.topics.size(), 1u);
  EXPECT_EQ(stats.topics[0].partitions, 4u);
}

TEST(Replicator, CutsLargeBatchesAndMergesSmallOnes) {
  Bench bench(1);
  const auto appender = AppenderOf(*bench.log, kTopic, 0);
  std::vector<Trade> large;
  for (std::uint32_t seq = 1; seq <= 1000; ++seq) large.push_back(TradeOf(100, seq));
  AppendBatch(*appender, large);
  for (std::uint32_t seq = 1001; seq <= 1024; ++seq) AppendBatch(*appender, std::vector<Trade>{TradeOf(100, seq)});
  const auto replicator = bench.Start();
  ASSERT_TRUE(Until([&] { return bench.Committed(kTopic, 0) == 1024; })) << replicator->stats().error;
  replicator->Stop();
  const auto messages = bench.Read();
  EXPECT_EQ(messages.size(), 4u);
  EXPECT_EQ(SeqsOf(messages)[100].size(), 1024u);
}

TEST(Replicator, NeverMergesAcrossTypesOrOrigins) {
  Bench bench(1);
  const auto appender = AppenderOf(*bench.log, kTopic, 0);
  Clock clock{};
  clock.header.type = RecordType::kClock;
  clock.header.ts_recv = kFirstNs;
  AppendBatch(*appender, std::vector<Trade>{TradeOf(100, 1)});
  AppendBatch(*appender, std::vector<Clock>{clock});
  AppendBatch(*appender, std::vector<Trade>{TradeOf(100, 2)});
  AppendBatch(*appender, std::vector<Trade>{TradeOf(100, 3)}, 2);
  const auto replicator = bench.Start();
  ASSERT_TRUE(Until([&] { return bench.Committed(kTopic, 0) == 4; })) << replicator->stats().error;
  replicator->Stop();
  std::vector<std::pair<RecordType, std::uint64_t>> found;
  for (const Stored& message : bench.Read()) {
    wire::BatchView batch;
    ASSERT_EQ(wire::BatchView::Parse(message.value(), &batch), wire::BatchError::kNone);
    found.emplace_back(batch.info().type, batch.info().origin);
  }
  const std::vector<std::pair<RecordType, std::uint64_t>> expected = {
      {RecordType::kTrade, 1}, {RecordType::kClock, 1}, {RecordType::kTrade, 1}, {RecordType::kTrade, 2}};
  EXPECT_EQ(found, expected);
}

TEST(Replicator, OpaqueMessagesPassWithTheirKeys) {
  Bench bench(1);
  constexpr const char* kStatus = "tickwire.status";
  MakeTopic(*bench.log, kStatus, 1, true);
  bench.cluster.MakeTopic(kStatus, 1);
  const auto appender = AppenderOf(*bench.log, kStatus, 0);
  const std::string value = "{\"kind\":\"session_opened\"}";
  journal::Appender::Message message;
  message.kind = journal::Kind::kOpaque;
  message.key = "binance-0-0";
  message.value = {reinterpret_cast<const std::uint8_t*>(value.data()), value.size()};
  message.ts_recv = kFirstNs;
  ASSERT_EQ(appender->Append(message).status, journal::Status::kOk);
  message.value = {};
  ASSERT_EQ(appender->Append(message).status, journal::Status::kOk);
  ReplicatorOptions options;
  options.topics = {kTopic, kStatus};
  const auto replicator = bench.Start(std::move(options));
  ASSERT_TRUE(Until([&] { return bench.Committed(kStatus, 0) == 2; })) << replicator->stats().error;
  replicator->Stop();
  const auto messages = bench.cluster.ReadAll(kStatus, 1);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].text(), value);
  for (const Stored& stored : messages) {
    EXPECT_EQ(stored.key, "binance-0-0");
    EXPECT_TRUE(stored.opaque);
    EXPECT_EQ(stored.timestamp_ms, static_cast<std::int64_t>(kFirstNs / 1'000'000));
  }
  EXPECT_FALSE(messages[0].tombstone);
  EXPECT_TRUE(messages[1].tombstone);
}

TEST(Replicator, NamesTheTwoPartitionCountsAndTheFix) {
  Bench bench(2);
  MakeTopic(*bench.log, kTopic, 3);
  AppendTrades(*bench.log, kTopic, 3, 1, 10);
  const auto replicator = bench.Start();
  ASSERT_TRUE(Until([&] { return replicator->stats().error.find("fix:") != std::string::npos; }));
  const PublisherStats stats = replicator->stats();
  EXPECT_EQ(stats.state, State::kBlocked);
  EXPECT_NE(stats.error.find("3 partitions in the local log"), std::string::npos) << stats.error;
  EXPECT_NE(stats.error.find(std::string(kKafkaTopic) + " has 2 in Kafka"), std::string::npos) << stats.error;
  EXPECT_NE(stats.error.find("tickwire topics apply"), std::string::npos) << stats.error;
  EXPECT_EQ(stats.messages, 0u);
}

TEST(Replicator, RefusesPropertiesItDoesNotKnow) {
  Bench bench(1);
  ReplicatorOptions options;
  options.topics = {kTopic};
  options.producer.properties = {{"no.such.property", "1"}};
  const auto replicator = MakeReplicator(bench.log, std::move(options));
  EXPECT_NE(replicator->Start().find("no.such.property"), std::string::npos);
}

TEST(Replicator, RefusesATopicThatTheLogDoesNotHave) {
  Bench bench(1);
  ReplicatorOptions options;
  options.topics = {"market.crypto.trades.kraken"};
  const auto replicator = MakeReplicator(bench.log, std::move(options));
  EXPECT_EQ(replicator->Start(), "no topic market.crypto.trades.kraken in the log");
}

TEST(Replicator, RidesOutErrorBursts) {
  Bench bench;
  const auto replicator = bench.Start(OneRequestAtATime());
  for (std::uint32_t round = 0; round < 20; ++round) {
    rd_kafka_mock_push_request_errors(*bench.cluster, 0 /* Produce */, 6, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
                                      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
    AppendTrades(*bench.log, kTopic, bench.partitions, round * 100 + 1, 100);
    ASSERT_TRUE(Until([&] { return bench.CaughtUp((round + 1) * 200); })) << replicator->stats().error;
  }
  EXPECT_EQ(replicator->stats().failed, 0u);
  replicator->Stop();
  ExpectWhole(bench.Read(), bench.partitions, 2000);
}

TEST(Replicator, FollowsALeaderThatMoves) {
  Bench bench;
  const auto replicator = bench.Start();
  for (std::uint32_t round = 0; round < 9; ++round) {
    AppendTrades(*bench.log, kTopic, bench.partitions, round * 300 + 1, 300, 2);
    for (int partition = 0; partition < static_cast<int>(bench.partitions); ++partition) {
      rd_kafka_mock_partition_set_leader(*bench.cluster, kKafkaTopic, partition,
                                         static_cast<std::int32_t>((round + partition) % 3 + 1));
    }
  }
  ASSERT_TRUE(Until([&] { return bench.CaughtUp(5400); })) << replicator->stats().error;
  EXPECT_EQ(replicator->stats().failed, 0u);
  replicator->Stop();
  ExpectWhole(bench.Read(), bench.partitions, 2700);
}

TEST(Replicator, WaitsForBrokersThatAreAway) {
  Bench bench;
  const auto replicator = bench.Start();
  AppendTrades(*bench.log, kTopic, bench.partitions, 1, 500);
  ASSERT_TRUE(Until([&] { return bench.CaughtUp(1000); })) << replicator->stats().error;
  for (int broker = 1; broker <= 3; ++broker) rd_kafka_mock_broker_set_down(*bench.cluster, broker);
  AppendTrades(*bench.log, kTopic, bench.partitions, 501, 4000, 2);
  ASSERT_TRUE(Until([&] { return replicator->stats().state == State::kBlocked; }));
  EXPECT_FALSE(replicator->stats().error.empty());
  EXPECT_FALSE(bench.CaughtUp(1001));
  for (int broker = 1; broker <= 3; ++broker) rd_kafka_mock_broker_set_up(*bench.cluster, broker);
  ASSERT_TRUE(Until([&] { return bench.CaughtUp(9000); })) << replicator->stats().error;
  ASSERT_TRUE(Until([&] { return replicator->stats().state == State::kRunning; }));
  EXPECT_EQ(replicator->stats().failed, 0u);
  replicator->Stop();
  ExpectWhole(bench.Read(), bench.partitions, 4500);
}

TEST(Replicator, StartsWhileBrokersAreAway) {
  Bench bench(2);
  for (int broker = 1; broker <= 3; ++broker) rd_kafka_mock_broker_set_down(*bench.cluster, broker);
  AppendTrades(*bench.log, kTopic, bench.partitions, 1, 100);
  const auto replicator = bench.Start();
  ASSERT_TRUE(Until([&] { return replicator->stats().state == State::kBlocked; }));
  for (int broker = 1; broker <= 3; ++broker) rd_kafka_mock_broker_set_up(*bench.cluster, broker);
  ASSERT_TRUE(Until([&] { return bench.CaughtUp(200); })) << replicator->stats().error;
  replicator->Stop();
  ExpectWhole(bench.Read(), bench.partitions, 100);
}

TEST(Replicator, KeepsOrderOverASlowLink) {
  Bench bench;
  for (int broker = 1; broker <= 3; ++broker) rd_kafka_mock_broker_set_rtt(*bench.cluster, broker, 500);
  const auto replicator = bench.Start();
  AppendTrades(*bench.log, kTopic, bench.partitions, 1, 3000, 2);
  ASSERT_TRUE(Until([&] { return bench.CaughtUp(6000); })) << replicator->stats().error;
  EXPECT_GE(replicator->stats().ack_ns_p50, 450'000'000u);
  replicator->Stop();
  for (int broker = 1; broker <= 3; ++broker) rd_kafka_mock_broker_set_rtt(*bench.cluster, broker, 0);
  ExpectWhole(bench.Read(), bench.partitions, 3000);
}

TEST(Replicator, AFullQueueIsLagAndNoLoss) {
  Bench bench;
  for (int broker = 1; broker <= 3; ++broker) rd_kafka_mock_broker_set_down(*bench.cluster, broker);
  ReplicatorOptions options;
  options.records_max = 1;
  options.producer.queue_messages = 50;
  AppendTrades(*bench.log, kTopic, bench.partitions, 1, 200);
  for (int broker = 1; broker <= 3; ++broker) rd_kafka_mock_broker_set_up(*bench.cluster, broker);
  const auto replicator = bench.Start(std::move(options));
  ASSERT_TRUE(Until([&] { return replicator->stats().messages > 0; })) << replicator->stats().error;
  EXPECT_LE(replicator->stats().in_flight, 50u);
  ASSERT_TRUE(Until([&] { return bench.CaughtUp(400); })) << replicator->stats().error;
  replicator->Stop();
  ExpectWhole(bench.Read(), bench.partitions, 200);
}

TEST(Replicator, AFatalErrorMakesANewProducerThatGoesOn) {
  Bench bench;
  const auto replicator = bench.Start();
  AppendTrades(*bench.log, kTopic, bench.partitions, 1, 500);
  ASSERT_TRUE(Until([&] { return bench.CaughtUp(1000); })) << replicator->stats().error;
  rd_kafka_mock_push_request_errors(*bench.cluster, 0 /* Produce */, 1, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING);
  // One message a partition: nothing is behind the refused one, which the mock would accept.
  AppendTrades(*bench.log, kTopic, bench.partitions, 501, 100, 200);
  ASSERT_TRUE(Until([&] { return bench.CaughtUp(1200); })) << replicator->stats().error;
  EXPECT_GE(replicator->stats().producers, 2u);
  replicator->Stop();
  ExpectWhole(bench.Read(), bench.partitions, 600);
}

}  // namespace
}  // namespace tw::publish
