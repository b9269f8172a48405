#include "journal/group.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "journal/group_file.h"

namespace tw::journal {
namespace {

class GroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/tw_group_XXXXXX";
    directory_ = ::mkdtemp(pattern);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  GroupOptions Options(std::vector<GroupTopic> topics = {{"a", 4}}) {
    return {.directory = directory_,
            .log_id = "log",
            .group = "g",
            .topics = std::move(topics),
            .durable = false,
            .hung_ms = 6000,
            .now_ns = [this] { return now_ns_; }};
  }
  std::unique_ptr<Group> Join(std::vector<GroupTopic> topics = {{"a", 4}}) {
    std::string error;
    auto group = Group::Join(Options(std::move(topics)), &error);
    EXPECT_NE(group, nullptr) << error;
    return group;
  }
  // A member as a consumer loop drives it: revoked partitions are released at once.
  struct Driven {
    std::unique_ptr<Group> group;
    std::set<std::pair<std::uint32_t, std::uint32_t>> owned = {};
    std::map<std::pair<std::uint32_t, std::uint32_t>, Assignment> by_partition = {};
    std::size_t lost = 0;
    bool Tick() {
      Group::Changes changes;
      group->Tick(&changes);
      for (const auto& a : changes.lost) owned.erase({a.topic, a.partition}), ++lost;
      for (const auto& a : changes.assigned) owned.insert({a.topic, a.partition}), by_partition[{a.topic, a.partition}] = a;
      for (const auto& a : changes.revoked) owned.erase({a.topic, a.partition}), group->Release(a);
      return !changes.assigned.empty() || !changes.revoked.empty() || !changes.lost.empty();
    }
  };
  std::string directory_;
  std::uint64_t now_ns_ = 1'000'000'000'000;
};

TEST_F(GroupTest, OneMemberOwnsAll) {
  Driven a{.group = Join()};
  a.Tick();
  EXPECT_EQ(a.owned.size(), 4u);
}

TEST_F(GroupTest, JoinMovesNoMoreThanNeededAndLeaveGivesBack) {
  Driven a{.group = Join()};
  a.Tick();
  Driven b{.group = Join()};
  for (int i = 0; i < 4; ++i) a.Tick(), b.Tick();
  EXPECT_EQ(a.owned.size(), 2u);
  EXPECT_EQ(b.owned.size(), 2u);
  const auto kept = a.owned;
  Driven c{.group = Join()};
  for (int i = 0; i < 6; ++i) a.Tick(), b.Tick(), c.Tick();
  EXPECT_EQ(a.owned.size() + b.owned.size() + c.owned.size(), 4u);
  EXPECT_GE(c.owned.size(), 1u);
  for (const auto& p : a.owned) EXPECT_TRUE(kept.contains(p)) << "a partition moved without need";
  b.group->Leave();
  for (int i = 0; i < 4; ++i) a.Tick(), c.Tick();
  EXPECT_EQ(a.owned.size() + c.owned.size(), 4u);
}

TEST_F(GroupTest, SettlesAndThenNothingMoves) {
  std::vector<Driven> members;
  for (int i = 0; i < 5; ++i) {
    members.push_back({.group = Join({{"a", 7}, {"b", 1}, {"c", 3}})});
    for (auto& m : members) m.Tick();
  }
  for (int i = 0; i < 10; ++i)
    for (auto& m : members) m.Tick();
  std::set<std::pair<std::uint32_t, std::uint32_t>> all;
  std::size_t sum = 0;
  for (auto& m : members) {
    EXPECT_FALSE(m.Tick());
    all.insert(m.owned.begin(), m.owned.end());
    sum += m.owned.size();
    EXPECT_GE(m.owned.size(), 1u);
  }
  EXPECT_EQ(all.size(), 11u);
  EXPECT_EQ(sum, 11u);
}

TEST_F(GroupTest, CommitsAndFences) {
  Driven a{.group = Join()};
  a.Tick();
  const Assignment mine = a.by_partition.at({0, 3});
  EXPECT_EQ(a.group->Committed(0, 3), std::nullopt);
  EXPECT_EQ(a.group->Commit(mine, 41), Status::kOk);
  EXPECT_EQ(a.group->Committed(0, 3), 41u);
  EXPECT_EQ(CommittedOf(directory_, "log", "g", "a", 3), 41u);
  EXPECT_EQ(a.group->Commit({0, 3, mine.generation + 1}, 42), Status::kFenced);
  EXPECT_EQ(a.group->Commit({0, 3, mine.generation - 1}, 42), Status::kFenced);
  EXPECT_EQ(a.group->Commit({1, 3, mine.generation}, 42), Status::kInvalid);
  EXPECT_EQ(a.group->Commit(mine, ~0ull), Status::kInvalid);
  a.group->Release(mine);
  EXPECT_EQ(a.group->Commit(mine, 43), Status::kFenced);
  EXPECT_EQ(a.group->Committed(0, 3), 41u);
}

TEST_F(GroupTest, HungMemberIsReplacedAfterSixSecondsAndIsFenced) {
  Driven a{.group = Join()};
  a.Tick();
  const Assignment old = a.by_partition.at({0, 0});
  EXPECT_EQ(a.group->Commit(old, 7), Status::kOk);
  Driven b{.group = Join()};
  now_ns_ += 5'900'000'000;
  b.Tick();
  EXPECT_EQ(b.owned.size(), 0u) << "not hung yet";
  now_ns_ += 200'000'000;
  b.Tick();
  b.Tick();
  EXPECT_EQ(b.owned.size(), 4u);
  EXPECT_EQ(b.group->Committed(0, 0), 7u);
  EXPECT_EQ(a.group->Commit(old, 99), Status::kFenced);
  EXPECT_EQ(a.group->Check(old), Status::kFenced);
  EXPECT_EQ(b.group->Committed(0, 0), 7u);
  EXPECT_GT(b.by_partition.at({0, 0}).generation, old.generation);
  a.Tick();
  EXPECT_EQ(a.lost, 4u);
  for (int i = 0; i < 4; ++i) b.Tick(), a.Tick();
  EXPECT_EQ(a.owned.size(), 2u) << "the zombie joins again as a new member";
}

TEST_F(GroupTest, EvictedSlotTakenByAnotherDoesNotConfuseTheZombie) {
  Driven a{.group = Join()};
  a.Tick();
  const Assignment old = a.by_partition.at({0, 0});
  now_ns_ += 7'000'000'000;
  Driven b{.group = Join()};
  b.Tick();
  Driven c{.group = Join()};  // Takes the slot a had.
  for (int i = 0; i < 4; ++i) b.Tick(), c.Tick();
  EXPECT_EQ(b.owned.size(), 2u);
  EXPECT_EQ(c.owned.size(), 2u);
  EXPECT_EQ(a.group->Commit(old, 99), Status::kFenced);
  a.Tick();
  EXPECT_EQ(a.lost, 4u);
  c.Tick();
  EXPECT_EQ(c.lost, 0u) << "the zombie's heartbeat must not evict the new holder";
}

TEST_F(GroupTest, OtherTopicsOfTheSameGroupAreSharedByTheirOwnMembers) {
  Driven a{.group = Join({{"a", 2}, {"b", 2}})};
  Driven b{.group = Join({{"b", 2}})};
  for (int i = 0; i < 4; ++i) a.Tick(), b.Tick();
  EXPECT_EQ(a.owned.size(), 3u);
  EXPECT_EQ(b.owned.size(), 1u);
}

TEST_F(GroupTest, PartitionsGrow) {
  Driven a{.group = Join()};
  a.Tick();
  EXPECT_TRUE(a.group->Grow(0, 6));
  a.Tick();
  EXPECT_EQ(a.owned.size(), 6u);
  EXPECT_FALSE(a.group->Grow(0, 257));
}

TEST_F(GroupTest, DurableFloorIsTheLowestCommit) {
  EXPECT_EQ(DurableFloor(directory_, "log", "a", 0), std::nullopt);
  GroupOptions options = Options({{"a", 1}});
  std::string error;
  options.group = "loose";
  Driven loose{.group = Group::Join(options, &error)};
  EXPECT_EQ(DurableFloor(directory_, "log", "a", 0), std::nullopt);
  options.durable = true;
  options.group = "one";
  Driven one{.group = Group::Join(options, &error)};
  options.group = "two";
  Driven two{.group = Group::Join(options, &error)};
  one.Tick(), two.Tick();
  EXPECT_EQ(DurableFloor(directory_, "log", "a", 0), 0u);
  EXPECT_EQ(one.group->Commit(one.by_partition.at({0, 0}), 50), Status::kOk);
  EXPECT_EQ(two.group->Commit(two.by_partition.at({0, 0}), 30), Status::kOk);
  EXPECT_EQ(DurableFloor(directory_, "log", "a", 0), 30u);
  EXPECT_EQ(DurableFloor(directory_, "log", "b", 0), std::nullopt);
}

TEST_F(GroupTest, RefusesBadNamesAndForeignPages) {
  std::string error;
  GroupOptions options = Options();
  for (const char* name : {"", ".x", "a/b", "../a", "a b"}) {
    options.group = name;
    EXPECT_EQ(Group::Join(options, &error), nullptr) << name;
  }
  auto a = Join();
  options = Options();
  options.log_id = "another";
  EXPECT_EQ(Group::Join(options, &error), nullptr);
  EXPECT_NE(error.find("another log"), std::string::npos);
  a.reset();
  std::filesystem::resize_file(directory_ + "/groups/g.group", 100);
  EXPECT_EQ(DurableFloor(directory_, "log", "a", 0), std::nullopt);
}

// Children that join, tick and commit as fast as they can, killed at seeded moments: never two owners in one generation,
// never a commit that goes back, and the survivors own everything in the end.
TEST_F(GroupTest, KilledAtAnyMomentTheGroupGoesOn) {
  struct Shared {
    std::atomic<std::uint64_t> owner_of[4][4096];  // [partition][generation]: pid that used it.
    std::atomic<std::uint64_t> violations;
    std::atomic<std::uint64_t> commits;
  };
  auto* shared = static_cast<Shared*>(::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(shared, MAP_FAILED);
  std::uint64_t seed = 20261121;
  const auto random = [&seed] {
    return seed = seed * 6364136223846793005ull + 1442695040888963407ull, static_cast<std::uint32_t>(seed >> 33);
  };
  const auto spawn = [&] {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    GroupOptions options = Options();
    options.now_ns = nullptr;
    std::string error;
    auto group = Group::Join(options, &error);
    if (group == nullptr) ::_exit(3);
    std::vector<Assignment> owned;
    for (;;) {
      Group::Changes changes;
      group->Tick(&changes);
      for (const auto& a : changes.assigned) owned.push_back(a);
      for (const auto& a : changes.lost) std::erase(owned, a);
      for (const auto& a : changes.revoked) group->Release(a), std::erase(owned, a);
      for (const auto& a : owned) {
        const std::uint64_t next = group->Committed(0, a.partition).value_or(0) + 1;
        if (group->Commit(a, next) != Status::kOk) continue;
        shared->commits.fetch_add(1);
        std::uint64_t nobody = 0;
        auto& user = shared->owner_of[a.partition][a.generation % 4096];
        const auto me = static_cast<std::uint64_t>(::getpid());
        if (!user.compare_exchange_strong(nobody, me) && nobody != me) shared->violations.fetch_add(1);
      }
    }
  };
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) children.push_back(spawn());
  std::uint64_t highest[4] = {};
  int kills = 0;
  for (; kills < 40; ++kills) {
    const std::uint64_t before = shared->commits.load();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 8000));
    for (int i = 0; i < 1000 && shared->commits.load() == before; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const std::size_t victim = random() % children.size();
    ::kill(children[victim], SIGKILL);
    if (random() % 2 == 0) ::waitpid(children[victim], nullptr, 0);  // Half of them stay unreaped for a while.
    for (std::uint32_t p = 0; p < 4; ++p) {
      const std::uint64_t committed = CommittedOf(directory_, "log", "g", "a", p).value_or(0);
      EXPECT_GE(committed, highest[p]);
      highest[p] = committed;
    }
    children[victim] = spawn();
  }
  for (const pid_t child : children) ::kill(child, SIGKILL);
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  EXPECT_EQ(shared->violations.load(), 0u);
  EXPECT_GT(shared->commits.load(), 40u);
  std::printf("%d kills, %llu commits, 0 double owners expected: %llu\n", kills,
              static_cast<unsigned long long>(shared->commits.load()),
              static_cast<unsigned long long>(shared->violations.load()));
  GroupOptions options = Options();
  options.now_ns = nullptr;
  std::string error;
  Driven last{.group = Group::Join(options, &error)};
  last.Tick();
  last.Tick();
  EXPECT_EQ(last.owned.size(), 4u) << "all killed members are replaced at once";
  ::munmap(shared, sizeof(Shared));
}

TEST_F(GroupTest, TellsReusedPidsByTheirStart) {
  const ProcessStart self = StartOfProcess(static_cast<std::uint32_t>(::getpid()));
  EXPECT_TRUE(self.running);
  EXPECT_GT(self.ticks, 0u);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t info = {};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  EXPECT_FALSE(StartOfProcess(static_cast<std::uint32_t>(child)).running) << "dead but not reaped";
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(StartOfProcess(static_cast<std::uint32_t>(child)).running);
}

}  // namespace
}  // namespace tw::journal
