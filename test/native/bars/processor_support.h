// Processors on a real log: an input to write, a processor to run over it, its output against a recomputation.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bars/processor.h"
#include "support.h"

namespace tw::bars {

inline constexpr std::uint32_t kPartitions = 2;

struct Directory {
  Directory() {
    char name[] = "/tmp/tickwire-bars-XXXXXX";
    path = mkdtemp(name);
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string path;
};

inline std::shared_ptr<journal::Log> OpenLog(const std::string& path) {
  std::string error;
  std::shared_ptr<journal::Log> log = journal::Log::Open(path, {}, &error);
  EXPECT_NE(log, nullptr) << error;
  return log;
}

inline void MakeInput(journal::Log& log) {
  journal::TopicOptions topic;
  topic.name = "market.crypto.trades.test";
  topic.partitions = kPartitions;
  topic.segment_bytes = 1 << 20;
  std::string error;
  ASSERT_EQ(log.EnsureTopic(topic, &error), journal::Status::kOk) << error;
}

inline ProcessorOptions BarsSetup() {
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
inline void AppendTrades(journal::Appender& appender, std::uint32_t partition, std::uint32_t from_seq, std::uint32_t count, std::mt19937& random) {
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

inline void AppendFinal(journal::Appender& appender) {
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

inline std::vector<Bar> Recomputed(const journal::Log& log, std::uint32_t partition) {
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
inline Output BarsIn(const journal::Log& log, std::uint32_t partition) {
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

inline std::uint64_t EndOf(const journal::Log& log, const std::string& topic, std::uint32_t partition) {
  journal::PartitionInfo info;
  return log.Describe(topic, partition, &info) == journal::Status::kOk ? info.end_offset : 0;
}

inline void WaitUntilRead(const journal::Log& log, const Processor& processor) {
  for (;;) {
    const ProcessorStats stats = processor.stats();
    ASSERT_EQ(stats.state, ProcessorState::kRunning) << stats.error;
    bool done = stats.lanes.size() == kPartitions;
    for (const ProcessorLane& lane : stats.lanes) done = done && lane.lane.position >= EndOf(log, lane.topic, lane.partition);
    if (done) return;
    std::this_thread::yield();
  }
}

inline void ExpectEqual(const journal::Log& log, std::size_t* compared) {
  for (std::uint32_t p = 0; p < kPartitions; ++p) {
    const std::vector<Bar> want = Recomputed(log, p);
    const Output have = BarsIn(log, p);
    ASSERT_EQ(have.bars.size(), want.size());
    ASSERT_EQ(std::memcmp(have.bars.data(), want.data(), want.size() * sizeof(Bar)), 0);
    EXPECT_EQ(have.repeats, 0u);
    *compared += want.size();
  }
}

}  // namespace tw::bars
