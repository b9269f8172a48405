// The processor when others fail: members that die or hang, a log that is busy or full, an input with holes.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <fstream>

#include "journal/admin.h"
#include "journal/fd.h"
#include "processor_support.h"

namespace tw::bars {
namespace {

ProcessorOptions Member(std::uint32_t hung_ms = 6000) {
  ProcessorOptions options = BarsSetup();
  options.group = "bars";
  options.group_hung_ms = hung_ms;
  return options;
}

pid_t StartMember(const std::string& path, std::uint32_t hung_ms) {
  const pid_t child = fork();
  if (child != 0) return child;
  std::string error;
  std::shared_ptr<journal::Log> log = journal::Log::Open(path, {}, &error);
  Processor processor(log, Member(hung_ms));
  if (!log || !processor.Start().empty()) _exit(1);
  for (;;) pause();
}

void End(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

void AppendBoth(journal::Log& log, std::uint32_t from_seq, std::uint32_t batches, std::mt19937& random) {
  journal::Status status;
  for (std::uint32_t p = 0; p < kPartitions; ++p) {
    const auto appender = log.OpenAppender(BarsSetup().inputs[0], p, &status);
    for (std::uint32_t i = 0; i < batches; ++i) AppendTrades(*appender, p, from_seq + i * 10, 10, random);
  }
}

// All bars of the input stand in the output, repeats dropped, and nothing else.
bool IsWhole(const journal::Log& log, std::size_t* compared, std::size_t* repeats) {
  *compared = *repeats = 0;
  for (std::uint32_t p = 0; p < kPartitions; ++p) {
    const std::vector<Bar> want = Recomputed(log, p);
    const Output have = BarsIn(log, p);
    if (have.bars.size() != want.size() || std::memcmp(have.bars.data(), want.data(), want.size() * sizeof(Bar)) != 0) return false;
    *compared += want.size();
    *repeats += have.repeats;
  }
  return true;
}

void WaitUntilWhole(const journal::Log& log, std::size_t* compared, std::size_t* repeats) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!IsWhole(log, compared, repeats)) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the bars are not those of a recomputation";
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void MakeOutput(journal::Log& log) {
  journal::TopicOptions output;
  output.name = BarsSetup().output;
  output.partitions = kPartitions;
  output.segment_bytes = 64 << 10;
  std::string error;
  ASSERT_EQ(log.EnsureTopic(output, &error), journal::Status::kOk) << error;
}

// False: somebody holds the partition's lock right now.
bool IsFree(const std::string& path, const std::string& topic, std::uint32_t partition) {
  const int fd = open((path + "/topics/" + topic + '/' + std::to_string(partition) + "/lock").c_str(), O_RDWR | O_CLOEXEC);
  struct flock whole{};
  whole.l_type = F_WRLCK;
  const bool free = fd < 0 || fcntl(fd, F_OFD_SETLK, &whole) == 0;
  if (fd >= 0) close(fd);
  return free;
}

// Stops a process, but not inside an append: the lock of a partition is freed by its holder's death, not by its sleep.
void StopOutsideAppends(pid_t child, const std::string& path) {
  for (;;) {
    kill(child, SIGSTOP);
    int status = 0;
    waitpid(child, &status, WUNTRACED);
    bool free = true;
    for (std::uint32_t p = 0; p < kPartitions; ++p) {
      for (const char* topic : {"market.crypto.ohlcv.test", "tickwire.state.bars"}) free = free && IsFree(path, topic, p);
    }
    if (free) return;
    kill(child, SIGCONT);
    std::this_thread::yield();
  }
}

TEST(BarsGroup, KilledMembersAreReplacedByTheOthers) {
  Directory directory;
  const auto log = OpenLog(directory.path);
  MakeInput(*log);
  MakeOutput(*log);
  std::mt19937 random(11);
  pid_t members[2] = {StartMember(directory.path, 6000), StartMember(directory.path, 6000)};
  std::uint32_t seq = 1;
  std::size_t compared = 0;
  std::size_t repeats = 0;
  int kills = 0;
  for (int round = 0; round < 8; ++round, seq += 100) {
    AppendBoth(*log, seq, 10, random);
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 150));
    pid_t& victim = members[random() % 2];
    End(victim);
    ++kills;
    if (round % 2 == 0) WaitUntilWhole(*log, &compared, &repeats);  // The one that is left does it all.
    victim = StartMember(directory.path, 6000);
  }
  journal::Status status;
  for (std::uint32_t p = 0; p < kPartitions; ++p) AppendFinal(*log->OpenAppender(BarsSetup().inputs[0], p, &status));
  WaitUntilWhole(*log, &compared, &repeats);
  for (const pid_t member : members) End(member);
  EXPECT_GT(compared, 0u);
  EXPECT_EQ(repeats, 0u) << "a dead member's successor repeats nothing";
  std::printf("[ compared ] %zu bars of two members after %d kills\n", compared, kills);
}

TEST(BarsGroup, KilledWhileAHungMemberSleepsItWakesAsAZombie) {
  constexpr std::uint32_t kHungMs = 600;
  Directory directory;
  const auto log = OpenLog(directory.path);
  MakeInput(*log);
  MakeOutput(*log);
  std::mt19937 random(12);
  std::uint32_t seq = 1;
  std::size_t compared = 0;
  std::size_t repeats = 0;
  for (int round = 0; round < 4; ++round) {
    const pid_t zombie = StartMember(directory.path, kHungMs);
    AppendBoth(*log, seq, 10, random);
    seq += 100;
    WaitUntilWhole(*log, &compared, &repeats);
    // Stopped at some instruction of the work on these.
    AppendBoth(*log, seq, 60, random);
    seq += 600;
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
    StopOutsideAppends(zombie, directory.path);
    AppendBoth(*log, seq, 10, random);
    seq += 100;
    const pid_t successor = StartMember(directory.path, kHungMs);
    WaitUntilWhole(*log, &compared, &repeats);
    kill(zombie, SIGCONT);
    AppendBoth(*log, seq, 60, random);
    seq += 600;
    WaitUntilWhole(*log, &compared, &repeats);
    End(successor);
    AppendBoth(*log, seq, 10, random);
    seq += 100;
    WaitUntilWhole(*log, &compared, &repeats);
    End(zombie);
  }
  EXPECT_GT(compared, 0u);
  std::printf("[ compared ] %zu bars after four zombies, %zu repeats of theirs dropped\n", compared, repeats);
}

TEST(BarsLane, AZombieWritesNoStateAndItsBarsAreRepeats) {
  Directory directory;
  const auto log = OpenLog(directory.path);
  MakeInput(*log);
  MakeOutput(*log);
  journal::TopicOptions state;
  state.name = "tickwire.state.bars";
  state.partitions = kPartitions;
  state.compact = true;
  std::string error;
  ASSERT_EQ(log->EnsureTopic(state, &error), journal::Status::kOk) << error;
  std::mt19937 random(3);
  AppendBoth(*log, 1, 30, random);
  const ProcessorOptions setup = BarsSetup();
  LaneContext context;
  context.log = log.get();
  context.options = &setup.bars;
  context.input = setup.inputs[0];
  context.output = setup.output;
  context.state = state.name;
  context.snapshot_ns = setup.snapshot_ns;
  context.wall_ns = [] { return std::uint64_t{1}; };
  context.beat = [] {};
  Lane zombie(context, {0, 0, 1});
  zombie.owns = [] { return false; };
  ASSERT_EQ(zombie.Open(), "");
  while (zombie.Turn(8) == Lane::Result::kMore) {}
  EXPECT_EQ(zombie.Finish(), Lane::Result::kIdle);
  EXPECT_GT(zombie.stats().snapshots_refused, 0u);
  EXPECT_EQ(zombie.stats().snapshots, 0u);
  EXPECT_FALSE(zombie.commit_due());
  EXPECT_EQ(EndOf(*log, state.name, 0), 0u);
  // What it appended is all its successor would: the successor repeats none of it.
  Lane successor(context, {0, 0, 2});
  ASSERT_EQ(successor.Open(), "");
  while (successor.Turn(8) == Lane::Result::kMore) {}
  EXPECT_EQ(successor.stats().suppressed, zombie.stats().appended);
  EXPECT_EQ(successor.stats().appended, 0u);
  // Both go on, the zombie behind its successor: what it appends now stands twice, and every reader drops it.
  AppendBoth(*log, 301, 30, random);
  while (successor.Turn(8) == Lane::Result::kMore) {}
  while (zombie.Turn(8) == Lane::Result::kMore) {}
  const std::vector<Bar> want = Recomputed(*log, 0);
  const Output have = BarsIn(*log, 0);
  ASSERT_EQ(have.bars.size(), want.size());
  EXPECT_EQ(std::memcmp(have.bars.data(), want.data(), want.size() * sizeof(Bar)), 0);
  EXPECT_EQ(have.repeats, successor.stats().appended);
  EXPECT_GT(have.repeats, 0u);
}

TEST(BarsBackPressure, AFullDiskStopsTheReadingAndPassesAway) {
  Directory directory;
  const auto log = OpenLog(directory.path);
  MakeInput(*log);
  MakeOutput(*log);
  std::mt19937 random(21);
  journal::SetPreallocateForTest([](int fd, std::uint64_t bytes) { return bytes == (64 << 10) ? ENOSPC : posix_fallocate(fd, 0, static_cast<off_t>(bytes)); });  // The output's segments.
  Processor processor(log, BarsSetup());
  ASSERT_EQ(processor.Start(), "");
  AppendBoth(*log, 1, 200, random);
  while (!processor.stats().blocked) {
    ASSERT_EQ(processor.stats().state, ProcessorState::kRunning) << processor.stats().error;
    std::this_thread::yield();
  }
  journal::SetPreallocateForTest(nullptr);
  WaitUntilRead(*log, processor);
  std::uint64_t refused = 0;
  for (const ProcessorLane& lane : processor.stats().lanes) refused += lane.lane.disk_full;
  processor.Stop();
  EXPECT_GT(refused, 0u);
  std::size_t compared = 0;
  ExpectEqual(*log, &compared);
  EXPECT_GT(compared, 0u);
}

TEST(BarsBackPressure, AHeldPartitionStopsTheReadingAndPassesAway) {
  Directory directory;
  const auto log = OpenLog(directory.path);
  MakeInput(*log);
  MakeOutput(*log);
  std::mt19937 random(22);
  AppendBoth(*log, 1, 2, random);
  Processor processor(log, BarsSetup());
  ASSERT_EQ(processor.Start(), "");
  WaitUntilRead(*log, processor);
  const int held = open((directory.path + "/topics/" + BarsSetup().output + "/0/lock").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(held, 0);
  struct flock whole{};
  whole.l_type = F_WRLCK;
  while (fcntl(held, F_OFD_SETLK, &whole) != 0) std::this_thread::yield();
  AppendBoth(*log, 21, 30, random);
  while (!processor.stats().blocked) {
    ASSERT_EQ(processor.stats().state, ProcessorState::kRunning) << processor.stats().error;
    std::this_thread::yield();
  }
  close(held);
  WaitUntilRead(*log, processor);
  std::uint64_t busy = 0;
  for (const ProcessorLane& lane : processor.stats().lanes) busy += lane.lane.busy;
  processor.Stop();
  EXPECT_GT(busy, 0u);
  std::size_t compared = 0;
  ExpectEqual(*log, &compared);
  EXPECT_GT(compared, 0u);
}

// What a reader of the log with its holes gives.
std::vector<Bar> RecomputedOverHoles(const journal::Log& log, std::uint32_t partition, std::uint32_t* holes) {
  Kept kept;
  Aggregator aggregator(BarsSetup().bars, &kept);
  journal::Status status;
  const auto reader = log.OpenReader(BarsSetup().inputs[0], partition, &status);
  journal::MessageView message;
  for (;;) {
    status = reader->Next(&message);
    if (status == journal::Status::kSkipped) {
      ++*holes;
      aggregator.OnLogHole({reader->skip().from_offset, 0, 0});
      continue;
    }
    if (status != journal::Status::kOk) return kept.bars;
    wire::BatchView batch;
    EXPECT_EQ(wire::BatchView::Parse(message.value, &batch), wire::BatchError::kNone);
    for (std::uint32_t i = 0; i < batch.size(); ++i) aggregator.OnRecord(batch[i], {message.offset + i, 0, 0});
  }
}

TEST(BarsHoles, ADamagedStretchIsAHoleInTheBars) {
  Directory directory;
  const auto log = OpenLog(directory.path);
  MakeInput(*log);
  std::mt19937 random(31);
  AppendBoth(*log, 1, 60, random);
  for (const auto& item : std::filesystem::directory_iterator(directory.path + "/topics/" + BarsSetup().inputs[0] + "/0")) {
    if (item.path().extension() != ".seg") continue;
    std::fstream file(item.path(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(20'000);
    const char byte = static_cast<char>(file.get() ^ 4);
    file.seekp(20'000);
    file.put(byte);
  }
  Processor processor(log, BarsSetup());
  ASSERT_EQ(processor.Start(), "");
  WaitUntilRead(*log, processor);
  std::uint64_t met = 0;
  for (const ProcessorLane& lane : processor.stats().lanes) met += lane.lane.log_holes;
  processor.Stop();
  EXPECT_EQ(met, 1u);
  std::uint32_t holes = 0;
  const std::vector<Bar> want = RecomputedOverHoles(*log, 0, &holes);
  const Output have = BarsIn(*log, 0);
  EXPECT_EQ(holes, 1u);
  ASSERT_EQ(have.bars.size(), want.size());
  EXPECT_EQ(std::memcmp(have.bars.data(), want.data(), want.size() * sizeof(Bar)), 0);
  const auto told = std::count_if(have.bars.begin(), have.bars.end(), [](const Bar& bar) { return bar.gaps != 0; });
  EXPECT_GT(told, 0) << "no bar says that something is missing";
}

TEST(BarsHoles, WhatRetentionTookWhileItWasAwayIsAHole) {
  Directory directory;
  const auto log = OpenLog(directory.path);
  journal::TopicOptions input;
  input.name = BarsSetup().inputs[0];
  input.partitions = kPartitions;
  input.segment_bytes = 64 << 10;
  std::string error;
  ASSERT_EQ(log->EnsureTopic(input, &error), journal::Status::kOk) << error;
  std::mt19937 random(32);
  AppendBoth(*log, 1, 20, random);
  {
    Processor before(log, BarsSetup());
    ASSERT_EQ(before.Start(), "");
    WaitUntilRead(*log, before);
  }
  AppendBoth(*log, 201, 400, random);
  journal::DeletionReport report;
  ASSERT_EQ(journal::Trim(*log, input.name, 0, 3'000, 0, &report), journal::Status::kOk);
  ASSERT_GT(report.segments, 0u);
  Processor after(log, BarsSetup());
  ASSERT_EQ(after.Start(), "");
  WaitUntilRead(*log, after);
  const ProcessorStats stats = after.stats();
  after.Stop();
  for (const ProcessorLane& lane : stats.lanes) EXPECT_EQ(lane.lane.log_holes, lane.partition == 0 ? 1u : 0u);
  const Output have = BarsIn(*log, 0);
  EXPECT_EQ(have.repeats, 0u);
  const auto told = std::count_if(have.bars.begin(), have.bars.end(), [](const Bar& bar) { return bar.gaps != 0; });
  EXPECT_GT(told, 0) << "no bar says that something is missing";
}

}  // namespace
}  // namespace tw::bars
