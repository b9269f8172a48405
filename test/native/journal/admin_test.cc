// Verify, usage, trim, retention under durable groups, compaction with readers on old mappings.
#include "journal/admin.h"

#include <map>

#include "journal/support.h"
#include "wire/batch.h"

namespace tw::journal {
namespace {

Trade MakeTrade(std::uint32_t instrument, std::uint32_t epoch, std::uint32_t seq, std::uint64_t ts_recv) {
  Trade trade{};
  trade.header = {.ts_event = ts_recv, .ts_recv = ts_recv, .seq = seq, .epoch = epoch, .instrument_id = instrument, .type = RecordType::kTrade, .source = 0, .flags = 0};
  trade.price = seq * 100;
  trade.size = 1;
  return trade;
}

// `batches` batches of 16 trades, alternating between two instruments; one second of ts_recv per batch.
void AppendTrades(Log& log, const std::string& topic, std::uint32_t batches, std::uint32_t batch_size = 16) {
  Status status;
  auto appender = log.OpenAppender(topic, 0, &status);
  ASSERT_EQ(status, Status::kOk);
  wire::BatchBuilder builder;
  std::map<std::uint32_t, std::uint32_t> seq;
  for (std::uint32_t b = 0; b < batches; ++b) {
    builder.Begin(RecordType::kTrade, 1);
    for (std::uint32_t i = 0; i < batch_size; ++i) {
      const std::uint32_t instrument = 1 + (b * batch_size + i) % 3 % 2;
      const Trade trade = MakeTrade(instrument, 1'700'000'000, ++seq[instrument], 1'000'000'000ull * (b * batch_size + i + 1));
      ASSERT_TRUE(builder.Add(&trade));
    }
    const auto value = builder.Finish(1);
    ASSERT_EQ(appender->Append(Appender::Message{.value = value, .count = builder.count(), .ts_recv = builder.info().ts_recv_first, .ts_recv_max = builder.ts_recv_max(), .position_max = builder.position_max()}).status, Status::kOk);
  }
}

std::uint64_t Begin(const Log& log, const std::string& topic) {
  PartitionInfo info;
  EXPECT_EQ(log.Describe(topic, 0, &info), Status::kOk);
  return info.begin_offset;
}

TEST(Verify, CountsAndHashesWhatIsThere) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  MakeTopic(*log, "market.equity.trades.nse");
  MakeTopic(*log, "other");
  AppendTrades(*log, "market.equity.trades.nse", 300);
  AppendTrades(*log, "market.equity.trades.nse", 20);  // The same (epoch, seq) again.
  Status status;
  auto appender = log->OpenAppender("other", 0, &status);
  AppendNumber(*appender, 1);
  const auto junk = Value(2);
  appender->Append(Appender::Message{.kind = Kind::kBatch, .value = junk});
  VerifyReport report;
  std::uint64_t calls = 0;
  ASSERT_EQ(Verify(*log, {.topics = {}, .hash = true}, [&](const Progress&) { return ++calls, true; }, &report), Status::kOk);
  EXPECT_EQ(report.messages, 322u);
  EXPECT_EQ(report.records, 320u * 16);
  EXPECT_EQ(report.repeats, 20u * 16);
  EXPECT_EQ(report.streams, 2u);
  EXPECT_EQ(report.opaque, 1u);
  EXPECT_EQ(report.bad_batches, 1u);
  EXPECT_EQ(report.damage_count, 0u);
  ASSERT_EQ(report.hash.size(), 16u);
  // The hash does not see how records were batched.
  Directory other;
  auto second = OpenLog(other / "log");
  MakeTopic(*second, "t");
  AppendTrades(*second, "t", 300 * 16, 1);
  VerifyReport again;
  ASSERT_EQ(Verify(*second, {.topics = {"t"}, .hash = true}, {}, &again), Status::kOk);
  EXPECT_EQ(again.records, 300u * 16);
  EXPECT_EQ(again.hash, report.hash);
  EXPECT_EQ(Verify(*second, {.topics = {"none"}}, {}, &again), Status::kNotFound);

  std::vector<Usage> usage;
  ASSERT_EQ(DiskUsage(*log, &usage), Status::kOk);
  ASSERT_EQ(usage.size(), 2u);
  EXPECT_EQ(usage[0].end_offset, 320u * 16);
  EXPECT_GE(usage[0].disk_bytes, usage[0].bytes);
}

TEST(Trim, DeletesWholeSegmentsAndReadersAreTold) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  MakeTopic(*log, "t");
  AppendTrades(*log, "t", 500);
  Status status;
  auto holder = log->OpenReader("t", 0, &status);
  MessageView first;
  ASSERT_EQ(holder->Next(&first), Status::kOk);
  auto late = log->OpenReader("t", 0, &status);
  DeletionReport report;
  ASSERT_EQ(Trim(*log, "t", 0, 3000, 0, &report), Status::kOk);
  EXPECT_GT(report.segments, 1u);
  const std::uint64_t begin = Begin(*log, "t");
  EXPECT_GT(begin, 0u);
  EXPECT_LE(begin, 3000u);
  // A view into a deleted segment stays.
  wire::BatchView batch;
  EXPECT_EQ(wire::BatchView::Parse(first.value, &batch), wire::BatchError::kNone);
  MessageView message;
  ASSERT_EQ(late->Next(&message), Status::kExpired);
  EXPECT_EQ(late->skip().from_offset, 0u);
  EXPECT_EQ(late->skip().to_offset, begin);
  ASSERT_EQ(late->Next(&message), Status::kOk);
  EXPECT_EQ(message.offset, begin);
  // By time: what is wholly before it.
  DeletionReport by_time;
  ASSERT_EQ(Trim(*log, "t", 0, 0, 1'000'000'000ull * 5000, &by_time), Status::kOk);
  EXPECT_GT(by_time.segments, 0u);
  ASSERT_EQ(late->SeekTime(1'000'000'000ull * 5000), Status::kOk);
  ASSERT_EQ(late->Next(&message), Status::kOk);
  EXPECT_LE(message.offset, 4999u);
  EXPECT_GT(message.offset + message.count, 4999u);
  // Everything before the end: the segment being written stays.
  ASSERT_EQ(Trim(*log, "t", 0, ~0ull, 0, &report), Status::kOk);
  PartitionInfo info;
  ASSERT_EQ(log->Describe("t", 0, &info), Status::kOk);
  EXPECT_EQ(info.segments, 1u);
  EXPECT_EQ(info.end_offset, 8000u);
}

TEST(Retention, TimeSparesWhatADurableGroupNeeds) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  std::string error;
  ASSERT_EQ(log->EnsureTopic({.name = "t", .segment_bytes = 64 << 10, .retention_ms = 1'000'000}, &error), Status::kOk);
  AppendTrades(*log, "t", 500);  // 8,000 s of ts_recv, far in the past: the newest in the partition counts.
  DeletionReport report;
  ASSERT_EQ(Retain(*log, [](std::string_view, std::uint32_t) { return 0ull; }, &report), Status::kOk);
  EXPECT_EQ(report.segments, 0u);
  ASSERT_EQ(Retain(*log, [](std::string_view, std::uint32_t) { return 2500ull; }, &report), Status::kOk);
  EXPECT_GT(report.segments, 0u);
  EXPECT_LE(Begin(*log, "t"), 2500u);
  ASSERT_EQ(Retain(*log, {}, &report), Status::kOk);
  EXPECT_GT(Begin(*log, "t"), 5000u);
  EXPECT_LE(Begin(*log, "t"), 7000u);
  EXPECT_TRUE(report.lost.empty());
}

TEST(Retention, TheBudgetDeletesUnderAGroupAndTheGapIsExact) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  std::string error;
  ASSERT_EQ(log->EnsureTopic({.name = "t", .segment_bytes = 64 << 10, .retention_bytes = 200'000}, &error), Status::kOk);
  AppendTrades(*log, "t", 500);
  const std::uint64_t committed = 1003;
  // What the group has read so far moves each stream's cursor; the rest is what it must be told about.
  std::map<std::uint32_t, std::uint64_t> last;
  std::map<std::uint32_t, std::uint64_t> expected;
  const auto walk = [&](std::uint64_t from, std::uint64_t to, auto visit) {
    Status status;
    auto reader = log->OpenReader("t", 0, &status);
    reader->SeekOffset(from);
    MessageView message;
    while (reader->Next(&message) == Status::kOk && message.offset < to) {
      wire::BatchView batch;
      if (wire::BatchView::Parse(message.value, &batch) != wire::BatchError::kNone) continue;
      for (std::uint32_t i = 0; i < batch.size(); ++i) {
        if (message.offset + i >= from && message.offset + i < to) visit(*batch[i]);
      }
    }
  };
  walk(0, committed, [&](const Header& header) { last[header.instrument_id] = header.position(); });
  std::vector<std::uint32_t> instruments;
  walk(committed, 8000, [&](const Header& header) { instruments.push_back(header.instrument_id); });
  DeletionReport report;
  ASSERT_EQ(Retain(*log, [&](std::string_view, std::uint32_t) { return committed; }, &report), Status::kOk);
  const std::uint64_t begin = Begin(*log, "t");
  ASSERT_GT(begin, committed);
  for (std::uint64_t offset = committed; offset < begin; ++offset) ++expected[instruments[offset - committed]];
  ASSERT_EQ(report.lost.size(), expected.size());
  for (const auto& lost : report.lost) {
    EXPECT_EQ(lost.gap.cause, GapCause::kRetention);
    EXPECT_EQ(lost.gap.count, expected[lost.stream.instrument_id]);
    EXPECT_EQ(lost.gap.header.position(), last[lost.stream.instrument_id] + 1);
  }
  // The gap records stand at the end of the partition.
  PartitionInfo info;
  ASSERT_EQ(log->Describe("t", 0, &info), Status::kOk);
  EXPECT_EQ(info.end_offset, 8000u + report.lost.size());
  EXPECT_LE(info.bytes, 200'000u + (64u << 10));
}

TEST(Compaction, KeepsTheNewestOfEachKey) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  MakeTopic(*log, "c", 64 << 10, true);
  Status status;
  auto appender = log->OpenAppender("c", 0, &status);
  std::map<std::string, std::uint64_t> newest;
  std::uint64_t tombstone_offset = 0;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    const std::string key = "key" + std::to_string(i * i % 101);
    const auto value = Value(i, 100 + i % 50);
    const AppendResult result = appender->Append(Appender::Message{.kind = Kind::kOpaque, .key = key, .value = value, .ts_recv = i + 1});
    ASSERT_EQ(result.status, Status::kOk);
    newest[key] = result.offset;
    if (i == 1000) {
      const AppendResult dead = appender->Append(Appender::Message{.kind = Kind::kOpaque, .key = "gone", .value = value});
      const AppendResult grave = appender->Append(Appender::Message{.kind = Kind::kOpaque, .key = "gone"});
      ASSERT_EQ(dead.offset + 1, grave.offset);
      tombstone_offset = grave.offset;
    }
  }
  // Readers in the middle, before and after what is rewritten.
  std::vector<std::unique_ptr<Reader>> readers;
  for (const std::uint64_t at : {0ull, 300ull, 900ull, 2000ull, 2990ull}) {
    readers.push_back(log->OpenReader("c", 0, &status));
    ASSERT_EQ(readers.back()->SeekOffset(at), Status::kOk);
    MessageView message;
    ASSERT_EQ(readers.back()->Next(&message), Status::kOk);
  }
  auto elsewhere = OpenLog(directory / "log");
  auto other_process = elsewhere->OpenReader("c", 0, &status);
  MessageView first;
  ASSERT_EQ(other_process->Next(&first), Status::kOk);

  CompactionReport report;
  ASSERT_EQ(Compact(*log, "c", 0, &report), Status::kOk);
  EXPECT_GT(report.messages_dropped, 1000u);
  EXPECT_EQ(report.tombstones_dropped, 0u);
  EXPECT_LT(report.segments_after, report.segments_before);
  EXPECT_LT(report.bytes_after, report.bytes_before / 2);

  const auto check = [&](Reader& reader, bool tombstone) {
    std::map<std::string, std::uint64_t> got;
    MessageView message;
    std::uint64_t last = 0;
    for (Status next = reader.Next(&message); next != Status::kEnd; next = reader.Next(&message)) {
      ASSERT_EQ(next, Status::kOk);
      ASSERT_GE(message.offset, last);
      last = message.offset + message.count;
      got[std::string(message.key)] = message.offset;
    }
    EXPECT_EQ(got.count("gone"), tombstone ? 1u : 0u);
    if (tombstone) {
      EXPECT_EQ(got["gone"], tombstone_offset);
    }
    got.erase("gone");
    EXPECT_EQ(got, newest);
  };
  auto fresh = log->OpenReader("c", 0, &status);
  check(*fresh, true);
  for (auto& reader : readers) {
    MessageView message;
    Status next = reader->Next(&message);
    while (next == Status::kOk) next = reader->Next(&message);
    EXPECT_EQ(next, Status::kEnd);
    EXPECT_EQ(reader->position(), 3002u);
  }
  check(*other_process, true);
  EXPECT_TRUE(WholeValue(first));
  // The next pass takes the tombstone too.
  CompactionReport second;
  ASSERT_EQ(Compact(*log, "c", 0, &second), Status::kOk);
  EXPECT_EQ(second.tombstones_dropped, 1u);
  auto last_reader = OpenLog(directory / "log")->OpenReader("c", 0, &status);
  check(*last_reader, false);
  EXPECT_EQ(AppendNumber(*appender, 9).offset, 3002u);
  // Not of a topic that is not compacted.
  MakeTopic(*log, "t");
  EXPECT_EQ(Compact(*log, "t", 0, &second), Status::kInvalid);
}

}  // namespace
}  // namespace tw::journal
