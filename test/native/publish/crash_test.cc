// Processes that are killed while they replicate: what they had produced and not committed does not come twice.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cstdlib>

#include "publish/replicator.h"
#include "support.h"

namespace tw::publish {
namespace {

constexpr const char* kTopic = "market.crypto.trades.binance";
constexpr const char* kKafkaTopic = "market.crypto.trades.binance.batch";
constexpr std::uint32_t kPartitions = 4;

ReplicatorOptions OptionsFor(const std::string& bootstrap, std::uint32_t commit_ms) {
  ReplicatorOptions options;
  options.topics = {kTopic};
  options.producer.profile = Profile::kLatency;
  options.producer.properties = {{"bootstrap.servers", bootstrap}};
  options.commit_ms = commit_ms;
  options.records_max = 16;
  return options;
}

// The test below runs this one in a process of its own and kills it.
TEST(ReplicatorCrash, DISABLED_Child) {
  const char* directory = std::getenv("TW_CHILD_LOG");
  const char* bootstrap = std::getenv("TW_CHILD_BOOTSTRAP");
  ASSERT_NE(directory, nullptr);
  const auto log = OpenLog(directory);
  const auto replicator =
      MakeReplicator(log, OptionsFor(bootstrap, static_cast<std::uint32_t>(std::atoi(std::getenv("TW_CHILD_COMMIT_MS")))));
  ASSERT_EQ(replicator->Start(), "");
  for (;;) ::pause();
}

// Long after the kill: nothing but the first position is committed.
constexpr std::uint32_t kNever = 60'000;

pid_t StartChild(const std::string& directory, const std::string& bootstrap, std::uint32_t commit_ms) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setenv("TW_CHILD_LOG", directory.c_str(), 1);
  ::setenv("TW_CHILD_BOOTSTRAP", bootstrap.c_str(), 1);
  ::setenv("TW_CHILD_COMMIT_MS", std::to_string(commit_ms).c_str(), 1);
  const int null = ::open("/dev/null", O_WRONLY);
  ::dup2(null, 1);
  ::dup2(null, 2);
  ::execl("/proc/self/exe", "tw_publish_test", "--gtest_also_run_disabled_tests", "--gtest_filter=ReplicatorCrash.DISABLED_Child",
          nullptr);
  ::_exit(127);
}

std::size_t RecordsIn(const std::vector<Stored>& messages) {
  std::size_t records = 0;
  for (const auto& [instrument, seqs] : SeqsOf(messages)) records += seqs.size();
  return records;
}

TEST(ReplicatorCrash, WhatStandsInKafkaIsNotProducedAgain) {
  MockCluster cluster;
  cluster.MakeTopic(kKafkaTopic, kPartitions);
  Directory directory;
  const auto log = OpenLog(directory.path());
  MakeTopic(*log, kTopic, kPartitions);
  std::uint32_t appended = 0;
  for (int round = 0; round < 3; ++round) {
    const std::size_t before = RecordsIn(cluster.ReadAll(kKafkaTopic, kPartitions));
    const pid_t child = StartChild(directory.path(), cluster.bootstrap(), kNever);
    ASSERT_GT(child, 0);
    AppendTrades(*log, kTopic, kPartitions, appended + 1, 2000, 7);
    appended += 2000;
    // Killed while it works.
    EXPECT_TRUE(Until([&] { return RecordsIn(cluster.ReadAll(kKafkaTopic, kPartitions)) > before + 500; }));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  const auto replicator = MakeReplicator(log, OptionsFor(cluster.bootstrap(), 20));
  ASSERT_EQ(replicator->Start(), "");
  ASSERT_TRUE(Until([&] {
    for (std::uint32_t partition = 0; partition < kPartitions; ++partition) {
      if (log->Committed("tickwire-replicator", kTopic, partition).value_or(0) != 2 * appended) return false;
    }
    return true;
  })) << replicator->stats().error;
  const PublisherStats stats = replicator->stats();
  replicator->Stop();
  // Without its tail it would have begun anew.
  EXPECT_GT(stats.repeats, 500u);
  ExpectWhole(cluster.ReadAll(kKafkaTopic, kPartitions), kPartitions, appended);
}

TEST(ReplicatorCrash, ReadsOnBehindAnotherWritersMessages) {
  MockCluster cluster;
  cluster.MakeTopic(kKafkaTopic, 1);
  Directory directory;
  const auto log = OpenLog(directory.path());
  MakeTopic(*log, kTopic, 1);
  const auto committed = [&] { return log->Committed("tickwire-replicator", kTopic, 0).value_or(0); };
  for (const auto& [from, commit_ms] : {std::pair{1u, 20u}, std::pair{151u, kNever}}) {
    AppendTrades(*log, kTopic, 1, from, 150, 7);
    const pid_t child = StartChild(directory.path(), cluster.bootstrap(), commit_ms);
    ASSERT_GT(child, 0);
    EXPECT_TRUE(Until([&] { return RecordsIn(cluster.ReadAll(kKafkaTopic, 1)) == 2 * (from + 149) && committed() >= 300; }));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  ASSERT_EQ(committed(), 300u);

  // Another machine's shard writes into the same partition, more messages than one look takes.
  Directory other;
  const auto other_log = OpenLog(other.path());
  MakeTopic(*other_log, kTopic, 1);
  const auto appender = AppenderOf(*other_log, kTopic, 0);
  for (std::uint32_t seq = 1; seq <= 5000; ++seq) AppendBatch(*appender, std::vector<Trade>{TradeOf(900, seq)});
  ReplicatorOptions options = OptionsFor(cluster.bootstrap(), 20);
  options.records_max = 1;
  const auto second = MakeReplicator(other_log, std::move(options));
  ASSERT_EQ(second->Start(), "");
  ASSERT_TRUE(Until([&] { return other_log->Committed("tickwire-replicator", kTopic, 0).value_or(0) == 5000; }))
      << second->stats().error;
  second->Stop();

  const auto first = MakeReplicator(log, OptionsFor(cluster.bootstrap(), 20));
  ASSERT_EQ(first->Start(), "");
  ASSERT_TRUE(Until([&] { return committed() == 600; })) << first->stats().error;
  first->Stop();
  const auto seqs = SeqsOf(cluster.ReadAll(kKafkaTopic, 1));
  EXPECT_EQ(seqs.at(900).size(), 5000u);
  EXPECT_EQ(seqs.at(100).size(), 300u);
  EXPECT_EQ(seqs.at(101).size(), 300u);
}

}  // namespace
}  // namespace tw::publish
