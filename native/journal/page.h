// The shared pages: one per partition (where it ends), one per log (who waits). Both are made again when they are damaged,
// from another run of the machine, or copied.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "journal/fd.h"
#include "journal/format.h"

namespace tw::journal {

class SharedPage {
 public:
  // Maps `path`, made at need. A read-only log that cannot write it, or finds it untrusted, gets a private page.
  static Status Open(const std::string& path, const LogId& log_id, bool read_only, std::unique_ptr<SharedPage>* out);

  PartitionPage& operator*() const { return *page_; }
  PartitionPage* operator->() const { return page_; }
  // True: written by this format, this log, this run of the machine, this very file, and its last publication is whole.
  bool Trusted() const;
  // Whether the last publication was whole, whatever run of the machine made it: a hint for recovery.
  bool Plausible() const;
  void MakePrivate();
  bool is_private() const { return private_; }
  // Stamps the static part, as the last step of recovery.
  void Stamp();

 private:
  bool Same() const;  // Format, log and CRC of the static part.

  LogId log_id_{};
  std::uint64_t inode_ = 0;
  std::uint64_t device_ = 0;
  Mapping mapping_;
  PartitionPage* page_ = nullptr;
  bool private_ = false;
};

// Publishes an end; under the partition's lock. Order: what is pending, the position (release), the offset.
void Publish(PartitionPage& page, std::uint64_t position, std::uint64_t offset);
// Finishes a publication whose writer died between its stores, and tells the true end; under the lock.
void Settle(PartitionPage& page, std::uint64_t* position, std::uint64_t* offset);

std::uint64_t BootId();  // Hash of the machine's boot id.

}  // namespace tw::journal
