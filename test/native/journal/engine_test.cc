// The embedded log behind the C table answers what it answers directly.
#include <gtest/gtest.h>

#include <future>
#include <stdexcept>

#include "journal/engine_export.h"
#include "journal/engine_import.h"
#include "journal/group.h"
#include "support.h"

namespace tw::journal {
namespace {

std::shared_ptr<Log> Through(std::shared_ptr<Log> log) {
  const tw_engine* engine = ExportEngine(std::move(log));
  std::string error;
  auto imported = ImportEngine(engine, &error);
  EXPECT_NE(imported, nullptr) << error;
  engine->release(engine->log);
  return imported;
}

GroupOptions Options(const std::string& group, std::function<std::uint64_t()> now_ns = {}) {
  GroupOptions options;
  options.group = group;
  options.topics = {{"t", 4}};
  options.now_ns = std::move(now_ns);
  return options;
}

class EngineTest : public ::testing::Test {
 protected:
  const Directory directory_;
  const std::shared_ptr<Log> direct_ = OpenLog(directory_.path());
  const std::shared_ptr<Log> through_ = Through(direct_);
};

void ExpectSame(const MessageView& a, const MessageView& b) {
  EXPECT_EQ(a.offset, b.offset);
  EXPECT_EQ(a.count, b.count);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.key, b.key);
  ASSERT_EQ(a.value.size(), b.value.size());
  EXPECT_EQ(std::memcmp(a.value.data(), b.value.data(), a.value.size()), 0);
  EXPECT_EQ(a.ts_recv, b.ts_recv);
  EXPECT_EQ(a.ts_recv_max, b.ts_recv_max);
}

TEST_F(EngineTest, TopicsAreTheSame) {
  EXPECT_EQ(through_->id(), direct_->id());
  EXPECT_EQ(through_->directory(), directory_.path());
  TopicOptions made{.name = "quotes",
                    .partitions = 3,
                    .segment_bytes = 1 << 20,
                    .retention_ms = 60'000,
                    .retention_bytes = 1 << 24,
                    .compact = true};
  std::string error;
  ASSERT_EQ(through_->EnsureTopic(made, &error), Status::kOk) << error;
  EXPECT_EQ(through_->TopicId("quotes"), direct_->TopicId("quotes"));
  for (const auto& log : {direct_, through_}) {
    TopicOptions found;
    ASSERT_TRUE(log->FindTopic("quotes", &found));
    const auto listed = log->ListTopics();
    ASSERT_EQ(listed.size(), 1u);
    for (const TopicOptions& topic : {found, listed[0]}) {
      EXPECT_EQ(topic.name, "quotes");
      EXPECT_EQ(topic.partitions, 3u);
      EXPECT_EQ(topic.segment_bytes, 1u << 20);
      EXPECT_EQ(topic.retention_ms, 60'000);
      EXPECT_EQ(topic.retention_bytes, 1 << 24);
      EXPECT_TRUE(topic.compact);
    }
    EXPECT_FALSE(log->FindTopic("trades", &found));
  }
}

TEST_F(EngineTest, RefusalsKeepTheirStatusAndReason) {
  std::string direct_error, through_error;
  const TopicOptions wrong{.name = "no/such", .partitions = 1};
  EXPECT_EQ(through_->EnsureTopic(wrong, &through_error), direct_->EnsureTopic(wrong, &direct_error));
  EXPECT_FALSE(direct_error.empty());
  EXPECT_EQ(through_error, direct_error);
  Status status = Status::kOk;
  EXPECT_EQ(through_->OpenReader("nothing", 0, &status), nullptr);
  EXPECT_EQ(status, Status::kNotFound);
  status = Status::kOk;
  EXPECT_EQ(through_->OpenAppender("nothing", 0, &status), nullptr);
  EXPECT_EQ(status, Status::kNotFound);
  PartitionInfo info;
  EXPECT_EQ(through_->Describe("nothing", 0, &info), Status::kNotFound);
  EXPECT_EQ(through_->Committed("g", "nothing", 0), std::nullopt);
}

TEST_F(EngineTest, WhatIsAppendedOnOneSideIsReadOnBoth) {
  MakeTopic(*direct_, "t");
  Status status = Status::kOk;
  const auto near = direct_->OpenAppender("t", 0, &status);
  const auto far = through_->OpenAppender("t", 0, &status);
  ASSERT_NE(far, nullptr) << StatusName(status);
  EXPECT_EQ(AppendNumber(*near, 0, 200, 3).offset, 0u);
  EXPECT_EQ(AppendNumber(*far, 1, 333, 5).offset, 3u);
  const auto first = Value(2, 100), second = Value(3, 160);
  const std::vector<Appender::Message> both = {
      {.kind = Kind::kOpaque, .key = "", .value = first, .ts_recv = 3'000'000, .ts_recv_max = 3'500'000},
      {.kind = Kind::kBatch, .key = "key", .value = second, .count = 7, .ts_recv = 4'000'000, .position_max = 99},
  };
  const AppendResult several = far->Append(std::span<const Appender::Message>(both));
  EXPECT_EQ(several.status, Status::kOk);
  EXPECT_EQ(several.offset, 8u);
  EXPECT_EQ(far->Sync(), Status::kOk);
  const std::vector<std::uint8_t> huge(128 << 10);
  EXPECT_EQ(far->Append(Appender::Message{.kind = Kind::kOpaque, .value = huge}).status, Status::kTooLarge);

  const auto a = direct_->OpenReader("t", 0, &status);
  const auto b = through_->OpenReader("t", 0, &status);
  MessageView x, y;
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(a->Next(&x), Status::kOk);
    ASSERT_EQ(b->Next(&y), Status::kOk);
    ExpectSame(x, y);
    EXPECT_EQ(a->position(), b->position());
  }
  EXPECT_EQ(a->Next(&x), Status::kEnd);
  EXPECT_EQ(b->Next(&y), Status::kEnd);
  EXPECT_EQ(b->begin_offset(), 0u);
  EXPECT_EQ(b->end_offset(), 16u);
  PartitionInfo p, q;
  ASSERT_EQ(direct_->Describe("t", 0, &p), Status::kOk);
  ASSERT_EQ(through_->Describe("t", 0, &q), Status::kOk);
  EXPECT_EQ(p.end_offset, q.end_offset);
  EXPECT_EQ(p.begin_offset, q.begin_offset);
  EXPECT_EQ(p.bytes, q.bytes);
  EXPECT_EQ(p.segments, q.segments);
  EXPECT_EQ(p.ts_recv_newest, q.ts_recv_newest);
}

TEST_F(EngineTest, SeeksLandOnTheSameMessage) {
  MakeTopic(*direct_, "t");
  Status status = Status::kOk;
  const auto appender = through_->OpenAppender("t", 0, &status);
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    const auto value = Value(i);
    ASSERT_EQ(
        appender->Append(Appender::Message{.value = value, .count = 2, .ts_recv = 1'000'000 * (i + 1), .position_max = i + 1})
            .status,
        Status::kOk);
  }
  const auto a = direct_->OpenReader("t", 0, &status);
  const auto b = through_->OpenReader("t", 0, &status);
  MessageView x, y;
  const auto expect_same_next = [&] {
    const Status one = a->Next(&x), other = b->Next(&y);
    ASSERT_EQ(one, other);
    if (one == Status::kOk) ExpectSame(x, y);
  };
  for (const std::uint64_t at : {0u, 1u, 777u, 3'999u, 4'000u}) {
    EXPECT_EQ(a->SeekOffset(at), b->SeekOffset(at));
    expect_same_next();
    EXPECT_EQ(a->SeekTime(at * 500'000ull), b->SeekTime(at * 500'000ull));
    expect_same_next();
    EXPECT_EQ(a->SeekPosition(at), b->SeekPosition(at));
    expect_same_next();
  }
}

TEST_F(EngineTest, DamageIsToldWithItsPlace) {
  MakeTopic(*direct_, "t");
  Status status = Status::kOk;
  const auto appender = direct_->OpenAppender("t", 0, &status);
  for (std::uint64_t i = 0; i < 5; ++i) AppendNumber(*appender, i);
  const auto reader = through_->OpenReader("t", 0, &status);
  MessageView message;
  ASSERT_EQ(reader->Next(&message), Status::kOk);
  ASSERT_EQ(NumberOf(message), 0u);
  ASSERT_EQ(reader->Next(&message), Status::kOk);
  // The value of the third message stands one frame behind that of the second; the file is found by its name in the skip.
  std::string file;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
    if (entry.is_regular_file() && entry.file_size() >= (64 << 10)) file = entry.path();
  }
  ASSERT_FALSE(file.empty());
  const auto third = Value(2);
  std::ifstream input(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(input)), {});
  const auto at = bytes.find(std::string(third.begin(), third.end()));
  ASSERT_NE(at, std::string::npos);
  std::fstream(file, std::ios::binary | std::ios::in | std::ios::out).seekp(static_cast<std::streamoff>(at + 20)).put('\xff');

  const auto direct = direct_->OpenReader("t", 0, &status);
  direct->SeekOffset(2);
  ASSERT_EQ(direct->Next(&message), Status::kSkipped);
  ASSERT_EQ(reader->Next(&message), Status::kSkipped);
  EXPECT_EQ(reader->skip().from_offset, direct->skip().from_offset);
  EXPECT_EQ(reader->skip().to_offset, direct->skip().to_offset);
  EXPECT_EQ(reader->skip().file, direct->skip().file);
  EXPECT_FALSE(reader->skip().file.empty());
  EXPECT_EQ(reader->skip().file_position, direct->skip().file_position);
  ASSERT_EQ(reader->Next(&message), Status::kOk);
  EXPECT_EQ(NumberOf(message), 3u);
}

TEST_F(EngineTest, FollowersAreWoken) {
  MakeTopic(*direct_, "t");
  Status status = Status::kOk;
  const auto waiter = through_->OpenWaiter();
  const std::uint32_t before = waiter->Ticket();
  EXPECT_FALSE(waiter->Wait(before, 1));
  auto woken = std::async(std::launch::async, [&] {
    const auto reader = through_->OpenReader("t", 0, &status);
    MessageView message;
    while (true) {
      const std::uint32_t ticket = waiter->Ticket();
      if (reader->Next(&message) == Status::kOk) return NumberOf(message);
      if (!waiter->Wait(ticket, 30'000)) return std::uint64_t{0};
    }
  });
  Status opened = Status::kOk;
  AppendNumber(*direct_->OpenAppender("t", 0, &opened), 42);
  EXPECT_EQ(woken.get(), 42u);
  const std::uint32_t ticket = waiter->Ticket();
  auto interrupted = std::async(std::launch::async, [&] { return waiter->Wait(ticket, 30'000); });
  while (interrupted.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) waiter->Interrupt();
  EXPECT_TRUE(interrupted.get());
}

TEST_F(EngineTest, GroupsAssignCommitAndFence) {
  std::string error;
  ASSERT_EQ(direct_->EnsureTopic({.name = "t", .partitions = 4}, &error), Status::kOk);
  std::uint64_t now_ns = 1'000'000'000'000;
  const GroupOptions options = Options("g", [&] { return now_ns; });
  auto far = through_->JoinGroup(options, &error);
  ASSERT_NE(far, nullptr) << error;
  Group::Changes changes;
  far->Tick(&changes);
  ASSERT_EQ(changes.assigned.size(), 4u);
  const Assignment first = changes.assigned[0];
  EXPECT_EQ(far->Check(first), Status::kOk);
  EXPECT_EQ(far->Commit(first, 17), Status::kOk);
  EXPECT_EQ(far->Committed(first.topic, first.partition), 17u);
  EXPECT_EQ(direct_->Committed("g", "t", first.partition), 17u);
  EXPECT_EQ(through_->Committed("g", "t", first.partition), 17u);
  Assignment old = first;
  --old.generation;
  EXPECT_EQ(far->Commit(old, 18), Status::kFenced);

  // Another member joins on the direct side: two partitions are to be given up, and are free once they are released.
  auto near = direct_->JoinGroup(options, &error);
  ASSERT_NE(near, nullptr) << error;
  EXPECT_EQ(far->Members().size(), 2u);
  EXPECT_EQ(far->Members()[0].pid, static_cast<std::uint32_t>(::getpid()));
  const std::uint64_t generation = far->generation();
  EXPECT_EQ(generation, near->generation());
  changes.Clear();
  far->Tick(&changes);
  ASSERT_EQ(changes.revoked.size(), 2u);
  for (const Assignment& revoked : changes.revoked) far->Release(revoked);
  EXPECT_EQ(far->Check(changes.revoked[0]), Status::kFenced);
  changes.Clear();
  near->Tick(&changes);
  EXPECT_EQ(changes.assigned.size(), 2u);

  // The clock passed in is the one that is asked: after six silent seconds the member behind the table is replaced.
  now_ns += 7'000'000'000;
  changes.Clear();
  near->Tick(&changes);
  EXPECT_EQ(changes.assigned.size(), 2u);
  changes.Clear();
  far->Tick(&changes);
  EXPECT_TRUE(changes.evicted);
  EXPECT_EQ(changes.lost.size(), 2u);
  EXPECT_TRUE(far->Grow(0, 5));
  far->Leave();
  EXPECT_EQ(near->Members().size(), 1u);
  EXPECT_EQ(through_->JoinGroup(Options("bad/name"), &error), nullptr);
  EXPECT_FALSE(error.empty());
}

TEST(EngineLifetime, WhatIsOpenedOutlivesTheLog) {
  const Directory directory;
  std::weak_ptr<Log> alive;
  std::unique_ptr<Reader> reader;
  {
    std::shared_ptr<Log> direct = OpenLog(directory.path());
    alive = direct;
    MakeTopic(*direct, "t");
    Status status = Status::kOk;
    AppendNumber(*direct->OpenAppender("t", 0, &status), 5);
    reader = Through(std::move(direct))->OpenReader("t", 0, &status);
  }
  EXPECT_FALSE(alive.expired());
  MessageView message;
  ASSERT_EQ(reader->Next(&message), Status::kOk);
  EXPECT_EQ(NumberOf(message), 5u);
  reader.reset();
  EXPECT_TRUE(alive.expired());
}

TEST(EngineTable, AnotherVersionOrASmallerTableIsRefused) {
  const Directory directory;
  const tw_engine* engine = ExportEngine(OpenLog(directory.path()));
  std::string error;
  tw_engine other = *engine;
  other.version = TW_ENGINE_VERSION + 1;
  EXPECT_EQ(ImportEngine(&other, &error), nullptr);
  EXPECT_NE(error.find("version " + std::to_string(TW_ENGINE_VERSION + 1)), std::string::npos) << error;
  other = *engine;
  other.size = sizeof(tw_engine) - sizeof(void*);
  error.clear();
  EXPECT_EQ(ImportEngine(&other, &error), nullptr);
  EXPECT_NE(error.find("bytes"), std::string::npos) << error;
  other.size = sizeof(tw_engine) + sizeof(void*);  // A newer one that has more.
  EXPECT_NE(ImportEngine(&other, &error), nullptr);
  engine->release(engine->log);
}

// An engine that throws wherever it can.
class Throwing final : public Log {
 public:
  const std::string& id() const override { return id_; }
  const std::string& directory() const override { return id_; }
  std::string TopicId(std::string_view) const override { throw std::runtime_error("id"); }
  Status EnsureTopic(const TopicOptions&, std::string*) override { throw std::bad_alloc(); }
  bool FindTopic(std::string_view, TopicOptions*) const override { throw 1; }
  std::vector<TopicOptions> ListTopics() const override { throw std::runtime_error("list"); }
  std::unique_ptr<Appender> OpenAppender(std::string_view, std::uint32_t, Status*) override { throw 1; }
  std::unique_ptr<Reader> OpenReader(std::string_view, std::uint32_t, Status*) const override { throw 1; }
  std::unique_ptr<Waiter> OpenWaiter() const override { throw 1; }
  Status Describe(std::string_view, std::uint32_t, PartitionInfo*) const override { throw 1; }
  std::unique_ptr<Group> JoinGroup(const GroupOptions&, std::string*) override { throw 1; }
  std::optional<std::uint64_t> Committed(const std::string&, const std::string&, std::uint32_t) const override { throw 1; }

 private:
  std::string id_ = "throwing";
};

TEST(EngineTable, ExceptionsStayOnTheirSide) {
  const auto log = Through(std::make_shared<Throwing>());
  std::string error;
  TopicOptions topic;
  PartitionInfo info;
  Status status = Status::kOk;
  EXPECT_EQ(log->TopicId("t"), "");
  EXPECT_EQ(log->EnsureTopic({.name = "t"}, &error), Status::kIoError);
  EXPECT_FALSE(log->FindTopic("t", &topic));
  EXPECT_TRUE(log->ListTopics().empty());
  EXPECT_EQ(log->OpenAppender("t", 0, &status), nullptr);
  EXPECT_EQ(status, Status::kIoError);
  status = Status::kOk;
  EXPECT_EQ(log->OpenReader("t", 0, &status), nullptr);
  EXPECT_EQ(status, Status::kIoError);
  EXPECT_EQ(log->OpenWaiter(), nullptr);
  EXPECT_EQ(log->Describe("t", 0, &info), Status::kIoError);
  EXPECT_EQ(log->JoinGroup(Options("g"), &error), nullptr);
  EXPECT_FALSE(error.empty());
  EXPECT_EQ(log->Committed("g", "t", 0), std::nullopt);
}

}  // namespace
}  // namespace tw::journal
