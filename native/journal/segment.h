// One segment file, mapped whole. Never truncated, only unlinked: a mapping stays good for as long as somebody holds it.
//
// Threads: any number read; the holder of the partition's lock writes.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "journal/fd.h"
#include "journal/format.h"

namespace tw::journal {

struct Seal {
  std::uint64_t end = 0;
  std::uint64_t next_offset = 0;
  std::uint64_t ts_recv_max = 0;
  std::uint64_t position_max = 0;
  std::uint64_t ts_recv_min = 0;
};

class SegmentIndex;

class Segment {
 public:
  struct Identity {
    LogId log_id{};
    std::uint64_t base_offset = 0;
    std::uint64_t start_position = 0;
    std::uint64_t span = 0;
    std::uint32_t flags = 0;
  };

  ~Segment();
  // The checked part of a header at `bytes` (64 of them). False: damaged, or *foreign: another log's.
  static bool ReadIdentity(const std::uint8_t* bytes, const LogId& log_id, Identity* identity, bool* foreign);
  static std::string FileName(std::uint64_t base_offset);
  // "<20 digits>.seg". False: any other name.
  static bool ParseFileName(const std::string& name, std::uint64_t* base_offset);

  // Makes the file at its full size beside its name; Commit() gives it its name.
  static Status Create(const std::string& path, const Identity& identity, std::uint64_t file_bytes, std::shared_ptr<Segment>* out);
  Status Commit();
  // Maps the file as it is. kInvalid: the header is damaged (the segment is given all the same, with `header_ok` false) or
  // belongs to another log.
  static Status Open(const std::string& path, std::uint64_t base_offset, const LogId& log_id, bool writable, std::shared_ptr<Segment>* out);
  // For a damaged header: who the segment must be, as its name and its neighbours tell.
  void Adopt(const Identity& identity) { identity_ = identity; }
  // Gives a file that is too short or has a damaged header its size and its header again (recovery, under the lock).
  Status Repair(std::uint64_t file_bytes);

  const std::string& path() const { return path_; }
  std::uint64_t base_offset() const { return identity_.base_offset; }
  std::uint64_t start_position() const { return identity_.start_position; }
  std::uint64_t span() const { return identity_.span; }
  std::uint64_t end_position() const { return identity_.start_position + identity_.span; }
  bool compacted() const { return (identity_.flags & kSegmentCompacted) != 0; }
  const Identity& identity() const { return identity_; }
  bool header_ok() const { return header_ok_; }
  std::uint64_t size() const { return mapping_.size(); }  // Bytes mapped.
  std::uint8_t* data() const { return mapping_.data(); }

  // False: not sealed (the active segment, or one whose writer died before).
  bool GetSeal(Seal* out) const;
  void SetSeal(const Seal& seal);
  void ClearSeal();
  // Large pages for a mapping that fills fast: half the price of touching it first. A sync then writes whole large pages, so
  // slow and synced writers do without.
  void ExpectFastWrites(bool fast) const;
  // The bytes from `from` on, to the disk.
  Status Sync(std::uint64_t from = 0) const;

  SegmentIndex& index() const { return *index_; }

 private:
  Segment();
  SegmentHeader MakeHeader() const;

  std::string path_;
  std::string temporary_;  // Until Commit().
  Mapping mapping_;
  Identity identity_;
  bool header_ok_ = false;
  std::unique_ptr<SegmentIndex> index_;
};

}  // namespace tw::journal
