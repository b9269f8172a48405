// The processor on a real log: bars equal the aggregator's, also after the process was killed at seeded points.
#include "bars/processor.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "support.h"

namespace tw::bars {
namespace {

constexpr std::uint32_t kPartitions = 2;

struct Directory {
  Directory() {
    char name[] = "/tmp/tickwire-bars-XXXXXX";
    path = mkdtemp(name);
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string path;
};

std::shared_ptr<journal::Log> OpenLog(const std::string& path) {
  std::string error;
  std::shared_ptr<journal::Log> log = journal::Log::Open(path, {}, &error);
  EXPECT_NE(log, nullptr) << error;
  return log;
}

void MakeInput(journal::Log& log) {
  journal::TopicOptions topic;
  topic.name = "market.crypto.trades.test";
  topic.partitions = kPartitions;
  topic.segment_bytes = 1 << 20;
  std::string error;
  ASSERT_EQ(log.EnsureTopic(topic, &error), journal::Status::kOk) << error;
}

ProcessorOptions BarsSetup() {
  ProcessorOptions options;
  options.inputs = {"market.crypto.trades.test"};
  options.output = "market.crypto.ohlcv.test";
  options.bars.intervals_ms = {1000, 5000};
  options.bars.lateness_ns = 500'000'000;
  options.snapshot_ns = 3 * kSecond;
  options.batch_records = 7;
  options.origin = static_cast<std::uint64_t>(getpid());
  return options;
}

// `count` trades of one instrument and a clock behind each batch, at log time `from` on.
void AppendTrades(journal::Appender& appender, std::uint32_t partition, std::uint32_t from_seq, std::uint32_t count, std::mt19937& random) {
  wire::BatchBuilder builder(4096);
  builder.Begin(RecordType::kTrade, 1);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t seq = from_seq + i;
    const std::uint64_t ts = kBase + seq * 130'000'000ull - random() % 3 * 400'000'000ull;
    Trade trade = MakeTrade(seq, ts, 1000 + static_cast<std::int64_t>(random() % 100), 1 + static_cast<std::int64_t>(random() % 5), Side::kBuy, 1,
                            10 + partition);
    trade.header.ts_recv = kBase + seq * 130'000'000ull;
    builder.Add(&trade);
  }
  const auto value = builder.Finish(1);
  journal::Appender::Message message;
  message.value = value;
  message.count = count;
  message.ts_recv = builder.info().ts_recv_first;
  message.ts_recv_max = builder.ts_recv_max();
  message.position_max = builder.position_max();
  ASSERT_EQ(appender.Append(message).status, journal::Status::kOk);
}

void AppendFinal(journal::Appender& appender) {
  wire::BatchBuilder builder(1);
  builder.Begin(RecordType::kClock, 1);
  const Clock clock = MakeClock(1, kBase, true);
  builder.Add(&clock);
  journal::Appender::Message message;
  message.value = builder.Finish(1);
  message.ts_recv = clock.header.ts_recv;
  ASSERT_EQ(appender.Append(message).status, journal::Status::kOk);
}

template <class OnBatch>
std::uint64_t ReadAll(const journal::Log& log, const std::string& topic, std::uint32_t partition, OnBatch on_batch) {
  journal::Status status;
  const auto reader = log.OpenReader(topic, partition, &status);
  EXPECT_NE(reader, nullptr);
  journal::MessageView message;
  while (reader->Next(&message) == journal::Status::kOk) {
    wire::BatchView batch;
    if (message.kind != journal::Kind::kBatch) continue;
    EXPECT_EQ(wire::BatchView::Parse(message.value, &batch), wire::BatchError::kNone);
    on_batch(message, batch);
  }
  return reader->position();
}

std::vector<Bar> Recomputed(const journal::Log& log, std::uint32_t partition) {
  Kept kept;
  Aggregator aggregator(BarsSetup().bars, &kept);
  ReadAll(log, BarsSetup().inputs[0], partition, [&](const journal::MessageView& message, const wire::BatchView& batch) {
    for (std::uint32_t i = 0; i < batch.size(); ++i) aggregator.OnRecord(batch[i], {message.offset + i, 0, 0});
  });
  return kept.bars;
}

struct Output {
  std::vector<Bar> bars;  // After dedup by (epoch, seq) of each stream.
  std::size_t repeats = 0;
};
Output BarsIn(const journal::Log& log, std::uint32_t partition) {
  Output output;
  std::map<StreamKey, StreamCursor> cursors;
  ReadAll(log, BarsSetup().output, partition, [&](const journal::MessageView&, const wire::BatchView& batch) {
    for (const Bar& bar : batch.As<Bar>()) {
      if (cursors[StreamOf(&bar)].Accept(&bar)) {
        output.bars.push_back(bar);
      } else {
        ++output.repeats;
      }
    }
  });
  return output;
}

std::uint64_t EndOf(const journal::Log& log, const std::string& topic, std::uint32_t partition) {
  journal::PartitionInfo info;
  return log.Describe(topic, partition, &info) == journal::Status::kOk ? info.end_offset : 0;
}

void WaitUntilRead(const journal::Log& log, const Processor& processor) {
  for (;;) {
    const ProcessorStats stats = processor.stats();
    ASSERT_EQ(stats.state, ProcessorState::kRunning) << stats.error;
    bool done = stats.lanes.size() == kPartitions;
    for (const ProcessorLane& lane : stats.lanes) done = done && lane.lane.position >= EndOf(log, lane.topic, lane.partition);
    if (done) return;
    std::this_thread::yield();
  }
}

void ExpectEqual(const journal::Log& log, std::size_t* compared) {
  for (std::uint32_t p = 0; p < kPartitions; ++p) {
    const std::vector<Bar> want = Recomputed(log, p);
    const Output have = BarsIn(log, p);
    ASSERT_EQ(have.bars.size(), want.size());
    ASSERT_EQ(std::memcmp(have.bars.data(), want.data(), want.size() * sizeof(Bar)), 0);
    EXPECT_EQ(have.repeats, 0u);
    *compared += want.size();
  }
}

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
