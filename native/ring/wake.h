// Sleeping and waking between two threads without a lost wake-up: both sides write the same word with one atomic exchange,
// so whoever comes second sees what the other did before.
#pragma once
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <ctime>

namespace tw::ring {

inline void FutexWait(std::atomic<std::uint32_t>* word, std::uint32_t while_equal, std::uint64_t timeout_ns) {
  const timespec timeout{static_cast<time_t>(timeout_ns / 1'000'000'000), static_cast<long>(timeout_ns % 1'000'000'000)};
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(word), FUTEX_WAIT_PRIVATE, while_equal, &timeout, nullptr, 0);
}
inline void FutexWake(std::atomic<std::uint32_t>* word) {
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(word), FUTEX_WAKE_PRIVATE, 0x7fffffff, nullptr, nullptr, 0);
}

// One sleeper, any number of notifiers. A notification while the sleeper is awake costs one exchange and no system call.
//   sleeper:  flag.Arm(); if (nothing to do) flag.Wait(timeout); flag.Disarm();
//   notifier: make work; flag.Notify();
class WakeFlag {
 public:
  void Arm() { state_.exchange(kSleeping, std::memory_order_acq_rel); }
  void Disarm() { state_.exchange(kAwake, std::memory_order_acq_rel); }
  void Wait(std::uint64_t timeout_ns) { FutexWait(&state_, kSleeping, timeout_ns); }
  void Notify() {
    if (state_.exchange(kNotified, std::memory_order_acq_rel) == kSleeping) FutexWake(&state_);
  }

 private:
  static constexpr std::uint32_t kAwake = 0, kSleeping = 1, kNotified = 2;
  std::atomic<std::uint32_t> state_{kAwake};
};

}  // namespace tw::ring
