#include "journal/notify.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>

namespace tw::journal {
namespace {

constexpr std::uint32_t kWaiting = 1;
constexpr std::uint64_t kPollNs = 5'000'000;  // Of a reader that may not say that it waits.

std::uint64_t MonotonicNs() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000ull + static_cast<std::uint64_t>(now.tv_nsec);
}

void FutexWait(std::atomic<std::uint32_t>* word, std::uint32_t value, std::uint64_t timeout_ns) {
  timespec timeout{};
  timeout.tv_sec = static_cast<time_t>(timeout_ns / 1'000'000'000ull);
  timeout.tv_nsec = static_cast<long>(timeout_ns % 1'000'000'000ull);
  ::syscall(SYS_futex, word, FUTEX_WAIT, value, &timeout, nullptr, 0);
}

class FutexWaiter : public Waiter {
 public:
  explicit FutexWaiter(std::shared_ptr<Notify> notify) : notify_(std::move(notify)) {}
  std::uint32_t Ticket() const override { return notify_->Ticket(); }
  bool Wait(std::uint32_t ticket, std::uint32_t timeout_ms) override {
    if (interrupted_.exchange(false, std::memory_order_acq_rel)) return true;
    const bool moved = notify_->Wait(ticket, timeout_ms);
    return interrupted_.exchange(false, std::memory_order_acq_rel) || moved;
  }
  void Interrupt() override {
    interrupted_.store(true, std::memory_order_release);
    notify_->Bump();
  }

 private:
  std::shared_ptr<Notify> notify_;
  std::atomic<bool> interrupted_{false};
};

}  // namespace

Status Notify::Open(const std::string& path, bool read_only, std::shared_ptr<Notify>* out) {
  auto notify = std::make_shared<Notify>();
  Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | (read_only ? 0 : O_CREAT), 0644));
  if (!fd.ok() && !read_only) return StatusOfErrno(errno);
  struct stat info{};
  const bool sized = fd.ok() && ::fstat(fd.get(), &info) == 0 && static_cast<std::size_t>(info.st_size) >= kPageBytes;
  if (fd.ok() && !sized && !read_only) {
    const Status allocated = Preallocate(fd.get(), kPageBytes);
    if (allocated != Status::kOk) return allocated;
  }
  if (fd.ok() && (sized || !read_only) && Mapping::MapFile(fd.get(), kPageBytes, true, &notify->mapping_)) {
    notify->writable_ = true;
  } else if (!read_only) {
    return StatusOfErrno(errno);
  } else if (!Mapping::MapAnonymous(kPageBytes, &notify->mapping_)) {
    return StatusOfErrno(errno);
  }
  auto* page = reinterpret_cast<NotifyPage*>(notify->mapping_.data());
  notify->word_ = &page->word;  // Any value is a good start, so a damaged page harms nobody.
  *out = std::move(notify);
  return Status::kOk;
}

void Notify::Bump() {
  std::uint32_t seen = word_->load(std::memory_order_relaxed);
  while (!word_->compare_exchange_weak(seen, (seen & ~kWaiting) + 2, std::memory_order_seq_cst, std::memory_order_relaxed)) {
  }
  if ((seen & kWaiting) != 0) ::syscall(SYS_futex, word_, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

std::uint32_t Notify::Ticket() const { return word_->load(std::memory_order_acquire) & ~kWaiting; }

bool Notify::Wait(std::uint32_t ticket, std::uint32_t timeout_ms) {
  const std::uint64_t until = MonotonicNs() + static_cast<std::uint64_t>(timeout_ms) * 1'000'000ull;
  for (;;) {
    std::uint32_t seen = word_->load(std::memory_order_seq_cst);
    if ((seen & ~kWaiting) != ticket) return true;
    const std::uint64_t now = MonotonicNs();
    if (now >= until) return false;
    if (!writable_) {
      // The word of a private page moves only by Interrupt: the caller polls its readers.
      FutexWait(word_, seen, std::min(kPollNs, until - now));
      return true;
    }
    if ((seen & kWaiting) == 0 && !word_->compare_exchange_strong(seen, seen | kWaiting, std::memory_order_seq_cst)) continue;
    FutexWait(word_, ticket | kWaiting, until - now);
  }
}

std::unique_ptr<Waiter> MakeWaiter(std::shared_ptr<Notify> notify) { return std::make_unique<FutexWaiter>(std::move(notify)); }

}  // namespace tw::journal
