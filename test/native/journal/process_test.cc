// Several processes on one partition, killed at random: nothing torn, no hole, every acknowledged append there.
#include <fcntl.h>
#include <csignal>
#include <sys/mman.h>
#include <sys/wait.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <random>
#include <thread>

#include "journal/support.h"

namespace tw::journal {
namespace {

constexpr int kWriters = 2;

// What the writers tell the parent; survives their death.
struct Ledger {
  struct Writer {
    std::atomic<std::uint64_t> acknowledged;  // Numbers below it were.
    std::atomic<std::uint64_t> attempted;
  } writers[kWriters];
};

std::uint64_t Tag(int writer, std::uint64_t number) { return (static_cast<std::uint64_t>(writer) << 48) | number; }

[[noreturn]] void WriterProcess(const std::string& path, int writer, Ledger::Writer& ledger, std::uint64_t seed) {
  std::string error;
  auto log = Log::Open(path, {}, &error);
  Status status;
  auto appender = log == nullptr ? nullptr : log->OpenAppender("t", 0, &status);
  if (appender == nullptr) ::_exit(3);
  std::mt19937_64 random(seed);
  for (std::uint64_t number = ledger.acknowledged.load();;) {
    // Units of one to four messages; a repeat after a kill carries the same numbers.
    const std::size_t unit = 1 + random() % 4;
    std::vector<std::vector<std::uint8_t>> values;
    std::vector<Appender::Message> messages;
    for (std::size_t i = 0; i < unit; ++i) values.push_back(Value(Tag(writer, number + i), 8 + random() % 700));
    for (const auto& value : values) messages.push_back({.kind = Kind::kOpaque, .value = value, .count = 1, .ts_recv = number + 1});
    ledger.attempted.store(number + unit);
    const AppendResult result = appender->Append(messages);
    if (result.status == Status::kBusy) continue;
    if (result.status != Status::kOk) ::_exit(4);
    number += unit;
    ledger.acknowledged.store(number);
  }
}

TEST(Processes, KilledWritersLeaveNothingTornAndNoHole) {
  Directory directory;
  const std::string path = directory / "log";
  {
    auto log = OpenLog(path);
    MakeTopic(*log, "t");
  }
  auto* ledger = static_cast<Ledger*>(::mmap(nullptr, sizeof(Ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(ledger, MAP_FAILED);
  new (ledger) Ledger{};
  std::mt19937_64 random(7);
  const auto start = [&](int writer) {
    const std::uint64_t seed = random();
    const pid_t pid = ::fork();
    if (pid == 0) WriterProcess(path, writer, ledger->writers[writer], seed);
    return pid;
  };
  pid_t pids[kWriters];
  for (int writer = 0; writer < kWriters; ++writer) pids[writer] = start(writer);

  auto log = OpenLog(path);
  Status status;
  auto reader = log->OpenReader("t", 0, &status);
  auto waiter = log->OpenWaiter();
  std::uint64_t next_offset = 0;
  std::uint64_t messages = 0;
  std::uint64_t torn = 0;
  std::uint64_t holes = 0;
  std::uint64_t repeats = 0;
  std::uint64_t seen[kWriters] = {};
  const auto follow = [&] {
    MessageView message;
    for (;;) {
      const Status got = reader->Next(&message);
      if (got == Status::kEnd) return;
      ASSERT_EQ(got, Status::kOk) << StatusName(got);
      if (!WholeValue(message)) ++torn;
      if (message.offset != next_offset) ++holes;
      next_offset = message.offset + message.count;
      ++messages;
      const auto writer = static_cast<int>(NumberOf(message) >> 48);
      const std::uint64_t number = NumberOf(message) & 0xffffffffffffull;
      ASSERT_LT(writer, kWriters);
      // Acknowledged after the kill came: published, then written again by the successor.
      if (number < seen[writer]) {
        ++repeats;
      } else {
        if (number != seen[writer]) ++holes;
        seen[writer] = number + 1;
      }
    }
  };
  constexpr int kKills = 40;
  for (int kill = 0; kill < kKills; ++kill) {
    // Killed after some more of its appends, wherever that finds it.
    const int victim = static_cast<int>(random() % kWriters);
    const std::uint64_t until = ledger->writers[victim].acknowledged.load() + 1 + random() % 300;
    while (ledger->writers[victim].acknowledged.load() < until) {
      const std::uint32_t ticket = waiter->Ticket();
      follow();
      if (HasFatalFailure()) break;
      waiter->Wait(ticket, 1);
      int state = 0;
      ASSERT_EQ(::waitpid(pids[victim], &state, WNOHANG), 0) << "a writer ended by itself";
    }
    ::kill(pids[victim], SIGKILL);
    ASSERT_EQ(::waitpid(pids[victim], nullptr, 0), pids[victim]);
    pids[victim] = start(victim);
    if (HasFatalFailure()) break;
  }
  for (const pid_t pid : pids) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  follow();
  std::printf("processes: %d kills, %llu messages followed, %llu torn, %llu holes, %llu repeated after a kill\n", kKills, static_cast<unsigned long long>(messages),
              static_cast<unsigned long long>(torn), static_cast<unsigned long long>(holes), static_cast<unsigned long long>(repeats));
  EXPECT_GT(messages, 0u);
  EXPECT_EQ(torn, 0u);
  EXPECT_EQ(holes, 0u);
  for (int writer = 0; writer < kWriters; ++writer) EXPECT_GE(seen[writer], ledger->writers[writer].acknowledged.load());
  // A process that comes later sees the same.
  auto later = OpenLog(path);
  EXPECT_EQ(ReadAll(*later, "t").numbers.size(), messages);
  ::munmap(ledger, sizeof(Ledger));
}

TEST(Processes, ALockThatIsHeldIsBusy) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  MakeTopic(*log, "t");
  Status status;
  auto appender = log->OpenAppender("t", 0, &status);
  ASSERT_EQ(AppendNumber(*appender, 0).status, Status::kOk);
  int held[2];
  int release[2];
  ASSERT_EQ(::pipe(held), 0);
  ASSERT_EQ(::pipe(release), 0);
  const std::string lock = directory / "log/topics/t/0/lock";
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int fd = ::open(lock.c_str(), O_RDWR);
    struct flock whole{};
    whole.l_type = F_WRLCK;
    char byte = ::fcntl(fd, F_OFD_SETLK, &whole) == 0 ? 'y' : 'n';
    if (::write(held[1], &byte, 1) != 1 || ::read(release[0], &byte, 1) != 1) ::_exit(1);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(held[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  EXPECT_EQ(AppendNumber(*appender, 1).status, Status::kBusy);
  ASSERT_EQ(::write(release[1], "x", 1), 1);
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
  EXPECT_EQ(AppendNumber(*appender, 1).status, Status::kOk);  // The kernel freed what the dead one held.
}

TEST(Threads, AppendersFollowersAndMaintenanceTogether) {
  Directory directory;
  auto log = OpenLog(directory / "log");
  MakeTopic(*log, "t");
  constexpr std::uint64_t kEach = 2000;
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> failures{0};
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      Status status;
      auto appender = log->OpenAppender("t", 0, &status);
      for (std::uint64_t i = 0; i < kEach;) {
        const auto value = Value(Tag(writer, i), 150);
        const Status appended = appender->Append(Appender::Message{.kind = Kind::kOpaque, .value = value, .count = 1, .ts_recv = i + 1}).status;
        if (appended == Status::kOk) ++i;
        if (appended != Status::kOk && appended != Status::kBusy) ++failures;
      }
    });
  }
  for (int follower = 0; follower < 2; ++follower) {
    threads.emplace_back([&] {
      Status status;
      auto reader = log->OpenReader("t", 0, &status);
      auto waiter = log->OpenWaiter();
      MessageView message;
      std::uint64_t seen[2] = {};
      while (seen[0] + seen[1] < 2 * kEach) {
        const std::uint32_t ticket = waiter->Ticket();
        Status got = reader->Next(&message);
        for (; got == Status::kOk; got = reader->Next(&message)) {
          if (!WholeValue(message)) ++failures;
          const auto writer = NumberOf(message) >> 48;
          if ((NumberOf(message) & 0xffffffffffffull) != seen[writer]++) ++failures;
        }
        if (got != Status::kEnd) {
          ++failures;
          return;
        }
        waiter->Wait(ticket, 100);
        PartitionInfo info;
        log->Describe("t", 0, &info);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures.load(), 0u);
}

}  // namespace
}  // namespace tw::journal
