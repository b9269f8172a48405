// The processor on a real log: bars equal the aggregator's, also after the process was killed at seeded points.
#include "processor_support.h"

#include <signal.h>
#include <sys/wait.h>

namespace tw::bars {
namespace {

TEST(BarsProcessor, FollowsStopsAndGoesOn) {
  Directory directory;
  const auto log = OpenLog(directory.path);
  MakeInput(*log);
  std::mt19937 random(5);
  journal::Status status;
  std::unique_ptr<journal::Appender> appenders[kPartitions];
  for (std::uint32_t p = 0; p < kPartitions; ++p) appenders[p] = log->OpenAppender(BarsSetup().inputs[0], p, &status);
  std::uint32_t seq = 1;
  std::uint64_t restored = 0;
  std::uint64_t snapshots = 0;
  for (int run = 0; run < 5; ++run) {
    Processor processor(log, BarsSetup());
    ASSERT_EQ(processor.Start(), "");
    for (int i = 0; i < 10; ++i, seq += 20) {
      for (std::uint32_t p = 0; p < kPartitions; ++p) AppendTrades(*appenders[p], p, seq, 20, random);
    }
    WaitUntilRead(*log, processor);
    processor.Stop();
    const ProcessorStats stats = processor.stats();
    EXPECT_EQ(stats.state, ProcessorState::kStopped);
    for (const ProcessorLane& lane : stats.lanes) {
      restored += lane.lane.restored_at;
      snapshots += lane.lane.snapshots;
      EXPECT_EQ(lane.lane.suppressed, 0u);
    }
  }
  for (auto& appender : appenders) AppendFinal(*appender);
  Processor last(log, BarsSetup());
  ASSERT_EQ(last.Start(), "");
  WaitUntilRead(*log, last);
  last.Stop();
  std::size_t compared = 0;
  ExpectEqual(*log, &compared);
  EXPECT_GT(compared, 0u);
  EXPECT_GT(restored, 0u);
  EXPECT_GE(snapshots, 10u);
  std::printf("[ compared ] %zu bars of the log with a recomputation, over 6 runs with %lu snapshots\n", compared, snapshots);
}

TEST(BarsProcessor, KilledAtSeededPointsEqualsARecomputation) {
  std::size_t compared = 0;
  int kills = 0;
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    Directory directory;
    std::mt19937 random(seed);
    {
      const auto log = OpenLog(directory.path);
      MakeInput(*log);
      journal::TopicOptions output;
      output.name = BarsSetup().output;
      output.partitions = kPartitions;
      output.segment_bytes = 1 << 20;
      std::string error;
      ASSERT_EQ(log->EnsureTopic(output, &error), journal::Status::kOk) << error;
    }
    std::uint32_t seq = 1;
    for (int round = 0; round < 6; ++round) {
      const pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        std::string error;
        std::shared_ptr<journal::Log> log = journal::Log::Open(directory.path, {}, &error);
        Processor processor(log, BarsSetup());
        if (!log || !processor.Start().empty()) _exit(1);
        for (;;) pause();
      }
      const auto log = OpenLog(directory.path);
      journal::Status status;
      std::uint64_t want = EndOf(*log, BarsSetup().output, 0) + 1 + random() % 25;
      for (std::uint32_t p = 0; p < kPartitions; ++p) {
        const auto appender = log->OpenAppender(BarsSetup().inputs[0], p, &status);
        for (std::uint32_t i = 0; i < 30; ++i) AppendTrades(*appender, p, seq + i * 10, 10, random);
      }
      seq += 300;
      while (EndOf(*log, BarsSetup().output, 0) < want && waitpid(child, nullptr, WNOHANG) == 0) std::this_thread::yield();
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
      ++kills;
    }
    const auto log = OpenLog(directory.path);
    journal::Status status;
    for (std::uint32_t p = 0; p < kPartitions; ++p) AppendFinal(*log->OpenAppender(BarsSetup().inputs[0], p, &status));
    Processor last(log, BarsSetup());
    ASSERT_EQ(last.Start(), "");
    WaitUntilRead(*log, last);
    last.Stop();
    ExpectEqual(*log, &compared);
  }
  EXPECT_GT(compared, 0u);
  std::printf("[ compared ] %zu bars after %d kills, nothing twice, nothing missing\n", compared, kills);
}

TEST(BarsProcessor, RefusesWhatItCannotRun) {
  Directory directory;
  const auto log = OpenLog(directory.path);
  Processor none(log, BarsSetup());
  EXPECT_NE(none.Start().find("no topic"), std::string::npos);
  MakeInput(*log);
  ProcessorOptions options = BarsSetup();
  options.bars.intervals_ms = {};
  EXPECT_EQ(Processor(log, options).Start(), "no interval");
  options = BarsSetup();
  {
    Processor first(log, options);
    ASSERT_EQ(first.Start(), "");
    journal::Status status;
    std::mt19937 random(1);
    AppendTrades(*log->OpenAppender(options.inputs[0], 0, &status), 0, 1, 5, random);
    WaitUntilRead(*log, first);
  }
  options.bars.intervals_ms = {1000};
  Processor other(log, options);
  ASSERT_EQ(other.Start(), "");
  while (other.stats().state == ProcessorState::kRunning) std::this_thread::yield();
  EXPECT_NE(other.stats().error.find("other options"), std::string::npos);
}

}  // namespace
}  // namespace tw::bars
