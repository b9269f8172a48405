#include "journal/group_list.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "journal/group.h"

namespace tw::journal {
namespace {

class GroupListTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/tw_group_list_XXXXXX";
    directory_ = ::mkdtemp(pattern);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<Group> Join(const std::string& name, bool durable = false) {
    std::string error;
    auto group = Group::Join({.directory = directory_,
                              .log_id = "log",
                              .group = name,
                              .topics = {{"a", 3}, {"b", 1}},
                              .durable = durable,
                              .hung_ms = 6000,
                              .now_ns = [this] { return now_ns_; }},
                             &error);
    EXPECT_NE(group, nullptr) << error;
    return group;
  }
  std::vector<GroupInfo> List() { return ListGroups(directory_, "log", now_ns_); }

  std::string directory_;
  std::uint64_t now_ns_ = 5'000'000'000;
};

TEST_F(GroupListTest, NothingWhereNobodyEverJoined) {
  EXPECT_TRUE(List().empty());
  EXPECT_TRUE(ListGroups("/nonexistent", "log", 0).empty());
}

TEST_F(GroupListTest, ShowsMembersOwnersAndCommits) {
  const auto z = Join("z");
  const auto a = Join("a", true);
  Group::Changes changes;
  a->Tick(&changes);
  ASSERT_EQ(changes.assigned.size(), 4u);
  for (const Assignment& each : changes.assigned) {
    if (each.topic != 0 || each.partition != 2) continue;
    EXPECT_EQ(a->Commit(each, 41), Status::kOk);
  }
  now_ns_ += 250'000'000;
  const auto groups = List();
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].name, "a");
  EXPECT_TRUE(groups[0].durable);
  EXPECT_FALSE(groups[1].durable);
  ASSERT_EQ(groups[0].members.size(), 1u);
  EXPECT_EQ(groups[0].members[0].pid, static_cast<std::uint32_t>(::getpid()));
  EXPECT_EQ(groups[0].members[0].heartbeat_age_ms, 250u);
  ASSERT_EQ(groups[0].topics.size(), 2u);
  EXPECT_EQ(groups[0].topics[0].name, "a");
  ASSERT_EQ(groups[0].topics[0].partitions.size(), 3u);
  EXPECT_EQ(groups[0].topics[0].partitions[2].committed, 41u);
  EXPECT_EQ(groups[0].topics[0].partitions[1].committed, std::nullopt);
  for (const auto& topic : groups[0].topics) {
    for (const auto& partition : topic.partitions) EXPECT_EQ(partition.owner, 0u);
  }
  // z joined and has not had its turn to take partitions.
  EXPECT_EQ(groups[1].members.size(), 1u);
  EXPECT_EQ(groups[1].topics[0].partitions[0].owner, std::nullopt);
}

TEST_F(GroupListTest, WhoLeftOrWasKilledIsNoMember) {
  auto left = Join("left");
  Group::Changes changes;
  left->Tick(&changes);
  left->Leave();
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const auto member = Join("killed");
    Group::Changes taken;
    member->Tick(&taken);
    const char done = taken.assigned.size() == 4 ? 'y' : 'n';
    if (::write(ready[1], &done, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char done = 0;
  EXPECT_EQ(::read(ready[0], &done, 1), 1);
  EXPECT_EQ(done, 'y');
  EXPECT_EQ(List()[0].members.size(), 1u);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (const GroupInfo& group : List()) {
    EXPECT_TRUE(group.members.empty()) << group.name;
    EXPECT_EQ(group.topics[0].partitions[0].owner, std::nullopt) << group.name;
  }
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(GroupListTest, APageThatIsNoneIsLeftOut) {
  const auto fine = Join("fine");
  std::ofstream(directory_ + "/groups/broken.group") << "no page";
  std::ofstream(directory_ + "/groups/note.txt") << "no group";
  ASSERT_EQ(List().size(), 1u);
  EXPECT_EQ(List()[0].name, "fine");
  EXPECT_TRUE(ListGroups(directory_, "another log", now_ns_).empty());
}

}  // namespace
}  // namespace tw::journal
