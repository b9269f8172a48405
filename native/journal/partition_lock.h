// The partition's open-file-description lock. The kernel frees it when its holder dies. Every user opens the file itself:
// threads that share a descriptor do not exclude each other.
#pragma once
#include <cstdint>
#include <string>

#include "journal/fd.h"

namespace tw::journal {

class PartitionLock {
 public:
  Status Open(const std::string& path);
  // kBusy: not had within the time. 50 ms for appends; maintenance may wait longer.
  Status Acquire(std::uint32_t timeout_ms = 50);
  void Release();

 private:
  Fd fd_;
};

class PartitionLockGuard {
 public:
  PartitionLockGuard(PartitionLock& lock, std::uint32_t timeout_ms = 50) : lock_(lock), status_(lock.Acquire(timeout_ms)) {}
  ~PartitionLockGuard() { Release(); }
  PartitionLockGuard(const PartitionLockGuard&) = delete;
  PartitionLockGuard& operator=(const PartitionLockGuard&) = delete;
  Status status() const { return status_; }
  void Release() {
    if (status_ == Status::kOk) lock_.Release();
    status_ = Status::kClosed;
  }

 private:
  PartitionLock& lock_;
  Status status_;
};

}  // namespace tw::journal
