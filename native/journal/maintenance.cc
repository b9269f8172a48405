#include "journal/maintenance.h"

#include <unistd.h>

namespace tw::journal {
namespace {

constexpr std::uint32_t kTurnMs = 2'000;
constexpr std::uint32_t kLockMs = 2'000;

}  // namespace

MaintenanceTurn::MaintenanceTurn(const Partition& partition) {
  status_ = lock_.Open(partition.context().directory + "/maintenance");
  if (status_ == Status::kOk) status_ = lock_.Acquire(kTurnMs);
}

MaintenanceTurn::~MaintenanceTurn() {
  if (status_ == Status::kOk) lock_.Release();
}

StructureChange::StructureChange(PartitionPage& page) : page_(page) {
  page_.structure.store(page_.structure.load(std::memory_order_relaxed) | 1, std::memory_order_release);
}

StructureChange::~StructureChange() { page_.structure.store((page_.structure.load(std::memory_order_relaxed) | 1) + 1, std::memory_order_release); }

Status DeleteOldest(Partition& partition, const std::vector<Partition::Entry>& entries, std::size_t count) {
  if (count == 0) return Status::kOk;
  if (count >= entries.size()) return Status::kInvalid;  // The active segment stays.
  PartitionLock lock;
  const Status opened = lock.Open(partition.LockPath());
  if (opened != Status::kOk) return opened;
  {
    const PartitionLockGuard guard(lock, kLockMs);
    if (guard.status() != Status::kOk) return guard.status();
    PartitionPage& page = *partition.page();
    page.begin_offset.store(entries[count].identity.base_offset, std::memory_order_release);
    const StructureChange change(page);
    // Oldest first: whoever is killed here leaves a log that begins later, not one with a hole.
    for (std::size_t i = 0; i < count; ++i) ::unlink(partition.PathOf(entries[i].identity.base_offset).c_str());
  }
  partition.Reload(false);
  return Status::kOk;
}

}  // namespace tw::journal
