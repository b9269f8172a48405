#include "journal/partition_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>

namespace tw::journal {
namespace {

struct flock WholeFile(short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::uint64_t MonotonicNs() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000ull + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

Status PartitionLock::Open(const std::string& path) {
  fd_ = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  return fd_.ok() ? Status::kOk : StatusOfErrno(errno);
}

Status PartitionLock::Acquire(std::uint32_t timeout_ms) {
  struct flock lock = WholeFile(F_WRLCK);
  if (::fcntl(fd_.get(), F_OFD_SETLK, &lock) == 0) return Status::kOk;
  const std::uint64_t until = MonotonicNs() + static_cast<std::uint64_t>(timeout_ms) * 1'000'000ull;
  // A holder keeps it for microseconds: start with short sleeps and double them.
  long sleep_ns = 2'000;
  for (;;) {
    if (errno != EAGAIN && errno != EACCES && errno != EINTR) return Status::kIoError;
    if (MonotonicNs() >= until) return Status::kBusy;
    const timespec pause{.tv_sec = 0, .tv_nsec = sleep_ns};
    ::nanosleep(&pause, nullptr);
    sleep_ns = std::min(sleep_ns * 2, 500'000L);
    lock = WholeFile(F_WRLCK);
    if (::fcntl(fd_.get(), F_OFD_SETLK, &lock) == 0) return Status::kOk;
  }
}

void PartitionLock::Release() {
  struct flock lock = WholeFile(F_UNLCK);
  ::fcntl(fd_.get(), F_OFD_SETLK, &lock);
}

}  // namespace tw::journal
