// Looking after a log: verify, measure, trim, retain, compact. Everything here works while others append and follow.
//
// Threads: any; each call is one pass on the caller's thread. Two passes that delete exclude each other per partition.
// When slow: appends are held up only for the swap or unlink itself, never for the reading before it.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "journal/log.h"
#include "model/record.h"
#include "model/stream.h"

namespace tw::journal {

struct Progress {
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
  std::uint64_t messages = 0;
  std::uint64_t records = 0;
};
// Called about once per MiB. False: stop; the call then answers kClosed.
using OnProgress = std::function<bool(const Progress&)>;

struct Damage {
  std::string topic;
  std::uint32_t partition = 0;
  std::uint64_t from_offset = 0;
  std::uint64_t to_offset = 0;
  std::string file;
  std::uint64_t file_position = 0;
};
struct VerifyOptions {
  std::vector<std::string> topics;  // Empty: all.
  bool hash = false;                // The record hash; topics of gap copies are left out unless named.
  std::uint32_t epoch_min = 0;      // Records of earlier feed sessions do not count in the hash.
};
struct VerifyReport {
  std::uint64_t topics = 0;
  std::uint64_t partitions = 0;
  std::uint64_t messages = 0;
  std::uint64_t records = 0;      // Of batches.
  std::uint64_t opaque = 0;       // Opaque messages.
  std::uint64_t bytes = 0;        // Of values.
  std::uint64_t streams = 0;
  std::uint64_t repeats = 0;      // Records not above the last of their stream: every reader drops them.
  std::uint64_t bad_batches = 0;  // Whole frames whose value is no batch of this build's types.
  std::uint64_t damage_count = 0;
  std::uint64_t offsets_lost = 0;
  std::vector<Damage> damages;    // The first 1,000.
  std::string hash;               // With VerifyOptions::hash.
};
// CRC, frame order, offsets that rise, (epoch, seq) that rise per stream.
Status Verify(Log& log, const VerifyOptions& options, const OnProgress& progress, VerifyReport* report);

struct Usage {
  std::string topic;
  std::uint32_t partition = 0;
  std::uint64_t begin_offset = 0;
  std::uint64_t end_offset = 0;
  std::uint64_t bytes = 0;       // Written.
  std::uint64_t disk_bytes = 0;  // Taken, preallocation included.
  std::uint32_t segments = 0;
  std::uint64_t ts_recv_newest = 0;
};
Status DiskUsage(Log& log, std::vector<Usage>* out);

struct DeletionReport {
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
  struct Lost {  // What a durable group had not committed; the gap record that was appended for it.
    std::string topic;
    std::uint32_t partition = 0;
    StreamKey stream;
    Gap gap{};
  };
  std::vector<Lost> lost;
};
// Deletes whole closed segments, oldest first, all of whose messages are before the offset or before ts_recv (0: not asked).
Status Trim(Log& log, std::string_view topic, std::uint32_t partition, std::uint64_t before_offset, std::uint64_t before_ts_recv,
            DeletionReport* report);

// The lowest offset that some durable group has not committed; ~0: nobody needs anything.
using LowestNeeded = std::function<std::uint64_t(std::string_view topic, std::uint32_t partition)>;
// Applies every topic's retention once. Time spares what a durable group needs; the byte budget does not: then a gap record
// per stream and epoch is appended to the partition and told in the report.
Status Retain(Log& log, const LowestNeeded& lowest_needed, DeletionReport* report);

struct CompactionReport {
  std::uint64_t segments_before = 0;
  std::uint64_t segments_after = 0;
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;
  std::uint64_t messages_dropped = 0;
  std::uint64_t tombstones_dropped = 0;
};
// Keeps the newest message of each key in the closed segments of a compacted topic. An opaque message with an empty value is
// a tombstone: it removes its key's older messages in this pass and goes itself in the next one, so that a follower between
// the two still sees it.
Status Compact(Log& log, std::string_view topic, std::uint32_t partition, CompactionReport* report);

}  // namespace tw::journal
