// Append, follow, roll, seek, wait; topics and names.
#include "journal/log.h"

#include <atomic>
#include <thread>

#include "journal/fd.h"
#include "journal/log_impl.h"
#include "journal/support.h"

namespace tw::journal {
namespace {

TEST(Log, AppendsAndReadsBack) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  MakeTopic(*log, "market.equity.trades.nse");
  Status status;
  auto appender = log->OpenAppender("market.equity.trades.nse", 0, &status);
  ASSERT_EQ(status, Status::kOk);
  EXPECT_EQ(ReadAll(*log, "market.equity.trades.nse").numbers.size(), 0u);
  EXPECT_EQ(AppendNumber(*appender, 0, 100, 5).offset, 0u);
  EXPECT_EQ(AppendNumber(*appender, 1, 1, 1).offset, 5u);
  EXPECT_EQ(AppendNumber(*appender, 2, 0, 1).offset, 6u);
  EXPECT_EQ(AppendNumber(*appender, 3, 63, 2).offset, 7u);
  auto reader = log->OpenReader("market.equity.trades.nse", 0, &status);
  MessageView message;
  ASSERT_EQ(reader->Next(&message), Status::kOk);
  EXPECT_EQ(message.offset, 0u);
  EXPECT_EQ(message.count, 5u);
  EXPECT_EQ(message.key, "k");
  EXPECT_EQ(message.ts_recv, 1'000'000u);
  ASSERT_EQ(reader->Next(&message), Status::kOk);
  EXPECT_EQ(message.value.size(), 1u);
  ASSERT_EQ(reader->Next(&message), Status::kOk);
  EXPECT_EQ(message.value.size(), 0u);
  ASSERT_EQ(reader->Next(&message), Status::kOk);
  EXPECT_EQ(NumberOf(message), 3u);
  EXPECT_EQ(reader->Next(&message), Status::kEnd);
  EXPECT_EQ(reader->position(), 9u);
  EXPECT_EQ(reader->end_offset(), 9u);
  EXPECT_EQ(AppendNumber(*appender, 4).status, Status::kOk);
  ASSERT_EQ(reader->Next(&message), Status::kOk);
  EXPECT_EQ(message.offset, 9u);
}

TEST(Log, RollsSegmentsAndFollowsThem) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  MakeTopic(*log, "t");
  Status status;
  auto appender = log->OpenAppender("t", 0, &status);
  auto reader = log->OpenReader("t", 0, &status);
  std::uint64_t seen = 0;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    ASSERT_EQ(AppendNumber(*appender, i, 50 + i % 500).status, Status::kOk);
    if (i % 7 == 0) {
      const Contents some = ReadAll(*reader);
      for (const std::uint64_t number : some.numbers) ASSERT_EQ(number, seen++);
      EXPECT_TRUE(some.skips.empty());
    }
  }
  for (const std::uint64_t number : ReadAll(*reader).numbers) ASSERT_EQ(number, seen++);
  EXPECT_EQ(seen, 3000u);
  PartitionInfo info;
  ASSERT_EQ(log->Describe("t", 0, &info), Status::kOk);
  EXPECT_GT(info.segments, 10u);
  EXPECT_EQ(info.end_offset, 3000u);
  EXPECT_EQ(info.ts_recv_newest, 3000u * 1'000'000u);
  // A second process's view, and a read-only one.
  auto second = OpenLog(directory / "log");
  EXPECT_EQ(ReadAll(*second, "t").numbers.size(), 3000u);
  auto read_only = OpenLog(directory / "log", {.read_only = true});
  EXPECT_EQ(ReadAll(*read_only, "t").numbers.size(), 3000u);
  EXPECT_EQ(second->id(), log->id());
  EXPECT_EQ(read_only->OpenAppender("t", 0, &status), nullptr);
}

TEST(Log, SeveralMessagesAreOneUnit) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  MakeTopic(*log, "t");
  Status status;
  auto appender = log->OpenAppender("t", 0, &status);
  std::vector<std::vector<std::uint8_t>> values;
  std::vector<Appender::Message> unit;
  for (std::uint64_t i = 0; i < 10; ++i) values.push_back(Value(i, 3000));
  for (const auto& value : values) unit.push_back({.value = value, .count = 2});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(appender->Append(unit).offset, static_cast<std::uint64_t>(i) * 20);
  EXPECT_EQ(ReadAll(*log, "t").numbers.size(), 50u);
  // Too large for a segment: refused as a whole.
  std::vector<Appender::Message> large;
  for (int i = 0; i < 3; ++i) large.insert(large.end(), unit.begin(), unit.end());
  EXPECT_EQ(appender->Append(large).status, Status::kTooLarge);
  const auto value = Value(1, 64 << 10);
  EXPECT_EQ(appender->Append(Appender::Message{.value = value}).status, Status::kTooLarge);
  EXPECT_EQ(appender->Append(Appender::Message{.value = value, .count = 0}).status, Status::kInvalid);
  EXPECT_EQ(appender->Append(std::span<const Appender::Message>{}).status, Status::kInvalid);
  const std::string key(70'000, 'k');
  EXPECT_EQ(appender->Append(Appender::Message{.key = key, .value = values[0]}).status, Status::kTooLarge);
  EXPECT_EQ(ReadAll(*log, "t").numbers.size(), 50u);
}

TEST(Log, SeeksByOffsetTimeAndPosition) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  MakeTopic(*log, "t");
  Status status;
  auto appender = log->OpenAppender("t", 0, &status);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const auto value = Value(i);
    ASSERT_EQ(appender->Append(Appender::Message{.value = value, .count = 3, .ts_recv = 10 * i, .ts_recv_max = 10 * i + 5, .position_max = (7ull << 32) | i}).status, Status::kOk);
  }
  auto reader = log->OpenReader("t", 0, &status);
  MessageView message;
  for (const std::uint64_t offset : {0ull, 1ull, 2ull, 3ull, 2999ull, 3000ull, 5999ull}) {
    ASSERT_EQ(reader->SeekOffset(offset), Status::kOk);
    ASSERT_EQ(reader->Next(&message), Status::kOk);
    EXPECT_EQ(NumberOf(message), offset / 3);
  }
  ASSERT_EQ(reader->SeekOffset(6000), Status::kOk);
  EXPECT_EQ(reader->Next(&message), Status::kEnd);
  EXPECT_EQ(reader->SeekOffset(6001), Status::kInvalid);
  for (const std::uint64_t i : {0ull, 1ull, 777ull, 1999ull}) {
    ASSERT_EQ(reader->SeekTime(10 * i + 5), Status::kOk);
    ASSERT_EQ(reader->Next(&message), Status::kOk);
    EXPECT_EQ(NumberOf(message), i);
    if (i < 1999) {
      ASSERT_EQ(reader->SeekTime(10 * i + 6), Status::kOk);
      ASSERT_EQ(reader->Next(&message), Status::kOk);
      EXPECT_EQ(NumberOf(message), i + 1);
    }
    ASSERT_EQ(reader->SeekPosition((7ull << 32) | i), Status::kOk);
    ASSERT_EQ(reader->Next(&message), Status::kOk);
    EXPECT_EQ(NumberOf(message), i);
  }
  ASSERT_EQ(reader->SeekTime(10 * 1999 + 6), Status::kOk);
  EXPECT_EQ(reader->Next(&message), Status::kEnd);
  EXPECT_EQ(reader->position(), 6000u);
}

TEST(Log, TopicsAreCheckedAndMayGrow) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  std::string error;
  for (const char* name : {"", ".", "..", "../x", "a/b", "A", "a b", "t\n"}) {
    EXPECT_EQ(log->EnsureTopic({.name = name}, &error), Status::kInvalid) << name;
    EXPECT_FALSE(log->FindTopic(name, nullptr));
  }
  EXPECT_EQ(log->EnsureTopic({.name = "t", .segment_bytes = 100'000}, &error), Status::kInvalid);
  EXPECT_EQ(log->EnsureTopic({.name = "t", .partitions = 0}, &error), Status::kInvalid);
  EXPECT_EQ(log->EnsureTopic({.name = "t", .partitions = 2}, &error), Status::kOk);
  Status status;
  EXPECT_EQ(log->OpenReader("t", 2, &status), nullptr);
  EXPECT_EQ(status, Status::kNotFound);
  auto other = OpenLog(directory / "log");
  EXPECT_EQ(other->EnsureTopic({.name = "t", .partitions = 3, .retention_ms = 5}, &error), Status::kOk);
  EXPECT_EQ(log->EnsureTopic({.name = "t", .partitions = 2}, &error), Status::kInvalid);
  TopicOptions found;
  ASSERT_TRUE(log->FindTopic("t", &found));
  EXPECT_EQ(found.partitions, 3u);
  EXPECT_EQ(found.retention_ms, 5);
  EXPECT_NE(log->OpenReader("t", 2, &status), nullptr);
  ASSERT_EQ(log->ListTopics().size(), 1u);
  EXPECT_EQ(log->OpenReader("none", 0, &status), nullptr);
}

TEST(Log, RefusesWhatIsNotALog) {
  Directory directory;
  std::string error;
  EXPECT_EQ(Log::Open(directory / "none", {.read_only = true}, &error), nullptr);
  std::ofstream(directory / "log.json") << "{\"magic\":\"something else\"}";
  EXPECT_EQ(Log::Open(directory.path(), {}, &error), nullptr);
  EXPECT_NE(error.find("log.json"), std::string::npos);
}

TEST(Log, CompactedTopicsNeedKeys) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  MakeTopic(*log, "c", 64 << 10, true);
  Status status;
  auto appender = log->OpenAppender("c", 0, &status);
  const auto value = Value(1);
  EXPECT_EQ(appender->Append(Appender::Message{.value = value}).status, Status::kInvalid);
  EXPECT_EQ(appender->Append(Appender::Message{.key = "a", .value = value}).status, Status::kOk);
}

TEST(Log, WaitersWakeOnAppendAndInterrupt) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  auto other = OpenLog(directory / "log");
  MakeTopic(*log, "t");
  Status status;
  auto appender = other->OpenAppender("t", 0, &status);
  auto waiter = log->OpenWaiter();
  EXPECT_FALSE(waiter->Wait(waiter->Ticket(), 1));
  const std::uint32_t before = waiter->Ticket();
  AppendNumber(*appender, 0);
  EXPECT_TRUE(waiter->Wait(before, 60'000));
  auto reader = log->OpenReader("t", 0, &status);
  std::thread follower([&] {
    std::uint64_t seen = 0;
    MessageView message;
    while (seen < 200) {
      const std::uint32_t ticket = waiter->Ticket();
      while (reader->Next(&message) == Status::kOk) {
        ASSERT_EQ(NumberOf(message), seen++);
      }
      if (seen < 200) ASSERT_TRUE(waiter->Wait(ticket, 60'000));
    }
  });
  for (std::uint64_t i = 1; i < 200; ++i) AppendNumber(*appender, i);
  follower.join();
  std::atomic<bool> returned{false};
  std::thread blocked([&] {
    waiter->Wait(waiter->Ticket(), 60'000);
    returned = true;
  });
  waiter->Interrupt();
  blocked.join();
  EXPECT_TRUE(returned);
}

TEST(Log, AFullDiskIsAValue) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  MakeTopic(*log, "t");
  Status status;
  auto appender = log->OpenAppender("t", 0, &status);
  ASSERT_EQ(AppendNumber(*appender, 0).status, Status::kOk);
  SetPreallocateForTest([](int, std::uint64_t) { return ENOSPC; });
  std::uint64_t number = 1;
  while (AppendNumber(*appender, number, 8000).status == Status::kOk) ++number;
  EXPECT_EQ(AppendNumber(*appender, number, 8000).status, Status::kDiskFull);
  EXPECT_EQ(AppendNumber(*appender, number, 8).status, Status::kOk);  // What still fits is taken.
  SetPreallocateForTest([](int, std::uint64_t) { return EDQUOT; });
  EXPECT_EQ(AppendNumber(*appender, number + 1, 8000).status, Status::kDiskFull);
  SetPreallocateForTest(nullptr);
  EXPECT_EQ(AppendNumber(*appender, number + 1, 8000).status, Status::kOk);
  const Contents contents = ReadAll(*log, "t");
  EXPECT_TRUE(contents.skips.empty());
  ASSERT_EQ(contents.numbers.size(), number + 2);
  for (std::uint64_t i = 0; i < contents.numbers.size(); ++i) EXPECT_EQ(contents.numbers[i], i);
}

TEST(Log, DurabilityLevelsSync) {
  Directory directory;
  for (const Durability durability : {Durability::kInterval, Durability::kBatch}) {
    auto log = OpenLog(directory / "log", {.durability = durability, .sync_interval_ms = 1});
    MakeTopic(*log, "t");
    Status status;
    auto appender = log->OpenAppender("t", 0, &status);
    for (std::uint64_t i = 0; i < 20; ++i) ASSERT_EQ(AppendNumber(*appender, i, 9000).status, Status::kOk);
    EXPECT_EQ(appender->Sync(), Status::kOk);
  }
  auto log = OpenLog(directory / "log");
  EXPECT_EQ(ReadAll(*log, "t").numbers.size(), 40u);
}

// Under `process` a segment was marked once, so that only the first Sync of an appender reached it; and a Sync that had
// nothing to do vouched for what others had appended.
TEST(Log, EachSyncReachesWhatWasAppendedBefore) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  MakeTopic(*log, "t");
  Status status;
  auto appender = log->OpenAppender("t", 0, &status);
  const auto partition = static_cast<EmbeddedLog&>(*log).OpenPartition("t", 0, &status);
  ASSERT_EQ(status, Status::kOk);
  const PartitionPage& page = *partition->page();
  for (std::uint64_t i = 0; i < 3; ++i) {
    ASSERT_EQ(AppendNumber(*appender, i).status, Status::kOk);
    EXPECT_LT(page.synced_position.load(), page.end_position.load());
    EXPECT_EQ(appender->Sync(), Status::kOk);
    EXPECT_EQ(page.synced_position.load(), page.end_position.load());
  }
  // Another process's append is not this one's to vouch for.
  auto other = OpenLog(directory / "log");
  auto others = other->OpenAppender("t", 0, &status);
  ASSERT_EQ(AppendNumber(*others, 3).status, Status::kOk);
  EXPECT_EQ(appender->Sync(), Status::kOk);
  EXPECT_LT(page.synced_position.load(), page.end_position.load());
}

TEST(Log, ReopensWithoutJumping) {
  Directory directory;
  for (std::uint64_t i = 0; i < 20; ++i) {
    auto log = OpenLog(directory / "log");
    MakeTopic(*log, "t");
    Status status;
    auto appender = log->OpenAppender("t", 0, &status);
    EXPECT_EQ(AppendNumber(*appender, i).offset, i);
  }
}

}  // namespace
}  // namespace tw::journal
