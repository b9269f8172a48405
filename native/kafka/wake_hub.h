// Wakes the followers of a Kafka log in this process: librdkafka calls Bump from its own threads when a reader's queue stops
// being empty. One ticket for all of them, as on the embedded log.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace tw::kafka {

class WakeHub {
 public:
  void Bump() {
    {
      const std::lock_guard lock(mutex_);
      ++ticket_;
    }
    changed_.notify_all();
  }
  std::uint32_t ticket() const {
    const std::lock_guard lock(mutex_);
    return ticket_;
  }
  bool Wait(std::uint32_t ticket, std::uint32_t timeout_ms) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return ticket_ != ticket; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint32_t ticket_ = 0;
};

}  // namespace tw::kafka
