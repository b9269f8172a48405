// What retention, trim and compaction share: one at a time per partition, and the unlinking itself.
#pragma once
#include <cstdint>
#include <memory>

#include "journal/partition.h"

namespace tw::journal {

// Holds the partition's `maintenance` file: passes that delete or swap segments exclude each other, and nobody else.
class MaintenanceTurn {
 public:
  explicit MaintenanceTurn(const Partition& partition);
  ~MaintenanceTurn();
  Status status() const { return status_; }

 private:
  PartitionLock lock_;
  Status status_;
};

// Marks the partition's structure as changing, under its lock; even again when it ends.
class StructureChange {
 public:
  explicit StructureChange(PartitionPage& page);
  ~StructureChange();

 private:
  PartitionPage& page_;
};

// Deletes the first `count` of `entries` (as listed in this turn). Takes the partition's lock.
Status DeleteOldest(Partition& partition, const std::vector<Partition::Entry>& entries, std::size_t count);

}  // namespace tw::journal
