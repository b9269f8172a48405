#include "journal/consume.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <thread>

namespace tw::journal {
namespace {

// An owner's side of the loop, as the addon and TypeScript play it.
class Owner {
 public:
  Owner(std::shared_ptr<Log> log, std::vector<std::string> topics, std::unique_ptr<Group> group,
        std::vector<ConsumeOptions::Range> ranges, std::uint32_t cells = 4)
      : slab_(cells * kCell / 8) {
    ConsumeOptions options;
    options.topics = std::move(topics);
    options.group = std::move(group);
    options.ranges = std::move(ranges);
    options.heartbeat_ms = 10;
    options.slab = {reinterpret_cast<std::uint8_t*>(slab_.data()), slab_.size() * 8};
    options.cell_bytes = kCell;
    options.wake = [this] {
      const std::lock_guard lock(mutex_);
      awake_ = true;
      woken_.notify_one();
    };
    loop = std::make_unique<ConsumeLoop>(std::move(log), std::move(options));
    loop->Start();
  }
  ~Owner() { loop->Stop(); }

  // Drains until `done` says so; at most ten seconds.
  bool Until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      {
        std::unique_lock lock(mutex_);
        woken_.wait_until(lock, deadline, [this] { return awake_; });
        awake_ = false;
      }
      if (std::chrono::steady_clock::now() > deadline) return false;
      Drain();
    }
    return true;
  }
  void Drain() {
    ConsumeEvent events[64];
    for (std::size_t n = loop->Drain(events); n > 0; n = loop->Drain(events)) {
      for (std::size_t i = 0; i < n; ++i) Take(events[i]);
    }
  }
  void Take(const ConsumeEvent& event) {
    const Assignment assignment{event.topic, event.partition, event.generation};
    switch (event.kind) {
      case ConsumeEvent::Kind::kMessage: {
        const auto* bytes = event.large ? reinterpret_cast<const std::uint8_t*>(event.large->data())
                                        : reinterpret_cast<const std::uint8_t*>(slab_.data()) + event.position;
        values.emplace_back(reinterpret_cast<const char*>(bytes), event.value_size);
        keys.emplace_back(reinterpret_cast<const char*>(bytes) + event.value_size, event.key_size);
        if (event.generation != 0 && loop->Commit(assignment, event.offset + event.count) == Status::kOk) ++commits;
        if (event.frees_cell && !hold) loop->FreeCell(event.cell);
        break;
      }
      case ConsumeEvent::Kind::kRevoked: loop->Released(assignment); break;
      case ConsumeEvent::Kind::kAssigned: ++assigned; break;
      case ConsumeEvent::Kind::kEnd:
        ++ended;
        values_at_end = values.size();
        break;
      default: break;
    }
  }

  static constexpr std::uint32_t kCell = 4096;
  std::unique_ptr<ConsumeLoop> loop;
  std::vector<std::string> values;
  std::vector<std::string> keys;
  std::size_t commits = 0;
  std::size_t assigned = 0;
  std::size_t ended = 0;
  std::size_t values_at_end = 0;
  bool hold = false;

 private:
  std::vector<std::uint64_t> slab_;
  std::mutex mutex_;
  std::condition_variable woken_;
  bool awake_ = false;
};

class ConsumeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/tw_consume_XXXXXX";
    directory_ = ::mkdtemp(pattern);
    std::string error;
    log_ = Log::Open(directory_, {}, &error);
    ASSERT_NE(log_, nullptr) << error;
    ASSERT_EQ(log_->EnsureTopic({.name = "a", .partitions = 2}, &error), Status::kOk) << error;
  }
  void TearDown() override {
    log_.reset();
    std::filesystem::remove_all(directory_);
  }
  void Append(std::uint32_t partition, int first, int count, std::size_t size = 100) {
    Status status = Status::kOk;
    const auto appender = log_->OpenAppender("a", partition, &status);
    ASSERT_NE(appender, nullptr);
    for (int i = first; i < first + count; ++i) {
      std::string value = std::to_string(i);
      value.resize(size, '.');
      const std::string key = "k" + std::to_string(i);
      const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(value.data()), value.size());
      ASSERT_EQ(appender->Append({.kind = Kind::kOpaque, .key = key, .value = bytes, .count = 1, .ts_recv = 1}).status,
                Status::kOk);
    }
  }
  std::unique_ptr<Group> Join(std::uint32_t hung_ms = 6000) {
    std::string error;
    auto group = Group::Join({.directory = directory_,
                              .log_id = log_->id(),
                              .group = "g",
                              .topics = {{"a", 2}},
                              .durable = false,
                              .hung_ms = hung_ms,
                              .now_ns = nullptr},
                             &error);
    EXPECT_NE(group, nullptr) << error;
    return group;
  }
  std::string directory_;
  std::shared_ptr<Log> log_;
};

TEST_F(ConsumeTest, ReadsToTheEndInOrderThroughFewCells) {
  Append(0, 0, 1000);
  Owner owner(log_, {"a"}, nullptr, {{.topic = 0, .partition = 0, .from = {}, .to = {Place::Kind::kEnd, 0}, .follow = false}}, 2);
  ASSERT_TRUE(owner.Until([&] { return owner.ended == 1; }));
  ASSERT_EQ(owner.values.size(), 1000u);
  EXPECT_EQ(owner.values_at_end, 1000u) << "the end is told after the last message";
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(owner.values[i].substr(0, owner.values[i].find('.')), std::to_string(i));
    EXPECT_EQ(owner.keys[i], "k" + std::to_string(i));
  }
}

TEST_F(ConsumeTest, AMessageThatFitsNoCellComesByItself) {
  Append(0, 0, 1);
  Append(0, 1, 1, 50'000);
  Append(0, 2, 1);
  Owner owner(log_, {"a"}, nullptr, {{.topic = 0, .partition = 0, .from = {}, .to = {Place::Kind::kEnd, 0}, .follow = false}});
  ASSERT_TRUE(owner.Until([&] { return owner.ended == 1; }));
  ASSERT_EQ(owner.values.size(), 3u);
  EXPECT_EQ(owner.values[1].size(), 50'000u);
  EXPECT_EQ(owner.keys[1], "k1");
}

TEST_F(ConsumeTest, ASlowOwnerStopsTheReadingAndGoesOnWhenItFrees) {
  Append(0, 0, 1000);
  Owner owner(log_, {"a"}, nullptr, {{.topic = 0, .partition = 0, .from = {}, .to = {Place::Kind::kEnd, 0}, .follow = false}});
  owner.hold = true;
  ASSERT_TRUE(owner.Until([&] { return owner.values.size() > 40; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  owner.Drain();
  EXPECT_LE(owner.values.size(), 2 * Owner::kCell / 104) << "two cells in flight, no more";
  owner.hold = false;
  for (std::uint32_t cell = 0; cell < owner.loop->cells(); ++cell) owner.loop->FreeCell(cell);
  ASSERT_TRUE(owner.Until([&] { return owner.ended == 1; }));
  EXPECT_EQ(owner.values.size(), 1000u);
}

TEST_F(ConsumeTest, FollowsAndStopsAtOnce) {
  Owner owner(log_, {"a"}, nullptr, {{.topic = 0, .partition = 1, .from = {}, .to = {}, .follow = true}});
  for (int round = 0; round < 20; ++round) {
    Append(1, round * 10, 10);
    ASSERT_TRUE(owner.Until([&] { return owner.values.size() == static_cast<std::size_t>(round + 1) * 10; }));
  }
  const auto before = std::chrono::steady_clock::now();
  owner.loop->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(500));
}

TEST_F(ConsumeTest, MembersShareCommitAndResume) {
  Append(0, 0, 50);
  Append(1, 0, 50);
  {
    Owner first(log_, {"a"}, Join(), {});
    ASSERT_TRUE(first.Until([&] { return first.values.size() == 100; }));
    EXPECT_EQ(first.commits, 100u);
    Owner second(log_, {"a"}, Join(), {});
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (second.assigned == 0 && std::chrono::steady_clock::now() < deadline) first.Drain(), second.Drain();
    EXPECT_EQ(second.assigned, 1u);
    EXPECT_TRUE(second.values.empty()) << "everything was committed";
  }
  Append(0, 50, 5);
  Owner third(log_, {"a"}, Join(), {});
  ASSERT_TRUE(third.Until([&] { return third.values.size() == 5; }));
  EXPECT_EQ(third.values[0].substr(0, 3), "50.");
  EXPECT_EQ(CommittedOf(directory_, log_->id(), "g", "a", 0), 55u);
}

TEST_F(ConsumeTest, ACommitBehindTheEndRepeatsInsteadOfSkipping) {
  Append(0, 0, 10);
  {
    auto group = Join();
    Group::Changes changes;
    group->Tick(&changes);
    for (const Assignment& assignment : changes.assigned) EXPECT_EQ(group->Commit(assignment, 1'000'000), Status::kOk);
  }
  Owner owner(log_, {"a"}, Join(), {});
  ASSERT_TRUE(owner.Until([&] { return owner.values.size() == 10; }));
}

}  // namespace
}  // namespace tw::journal
