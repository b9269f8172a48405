// The bytes of a log directory. docs/reference/log-format.md tells the same in prose; nothing here may change without a new
// version number. Little-endian, 8-aligned.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tw::journal {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::uint64_t kSegmentMagic = 0x0a31474553575400ull;    // "\0TWSEG1\n"
inline constexpr std::uint64_t kPageMagic = 0x0a31454741505754ull;       // "TWPAGE1\n"
inline constexpr std::uint64_t kNotifyMagic = 0x0a3159464e575400ull;     // "\0TWNFY1\n"
inline constexpr std::uint64_t kSegmentBytesMin = 64ull << 10;
inline constexpr std::uint64_t kSegmentBytesMax = 1ull << 30;
inline constexpr std::size_t kPageBytes = 4096;
inline constexpr std::uint32_t kPartitionsMax = 4096;
inline constexpr std::size_t kKeyMax = 65535;
// A group's commit word holds 48 bits of offset, so no partition goes further; a frame that claims to is damage.
inline constexpr std::uint64_t kOffsetMax = (1ull << 48) - 1;

using LogId = std::array<std::uint8_t, 16>;

// The first 128 bytes of a segment. The first 64 are written once and checked by header_crc; the seal is written when the
// next segment begins, and tells where this one's frames end.
struct SegmentHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t header_crc;      // CRC32C of the first 64 bytes with this field 0.
  LogId log_id;
  std::uint64_t base_offset;     // No frame here has a lower one.
  std::uint64_t start_position;  // Logical byte position of the segment's first byte in its partition.
  std::uint64_t span;            // Logical bytes it takes: its file size, or those of all the segments compacted into it.
  std::uint32_t flags;           // kSegmentCompacted.
  std::uint32_t reserved;
  std::uint64_t seal_end;          // Bytes of the file that hold header and frames.
  std::uint64_t seal_next_offset;  // First offset behind the segment.
  std::uint64_t seal_ts_recv_max;
  std::uint64_t seal_position_max;
  std::uint64_t seal_ts_recv_min;
  std::uint64_t seal_check;  // SealCheck() of the five above; 0: not sealed.
  std::uint64_t reserved2[2];
};
inline constexpr std::size_t kSegmentHeaderBytes = sizeof(SegmentHeader);
inline constexpr std::size_t kSegmentStaticBytes = offsetof(SegmentHeader, seal_end);
inline constexpr std::uint32_t kSegmentCompacted = 1;
static_assert(sizeof(SegmentHeader) == 128 && kSegmentStaticBytes == 64);

// One message. The key follows the header, padded with zeros to 8; then the value, padded with zeros to 8. A length of 0 is
// the end of what is written.
struct FrameHeader {
  std::uint32_t length;  // Header, key, value, without the last padding.
  std::uint32_t crc;     // CRC32C of the `length - 8` bytes from base_offset on.
  std::uint64_t base_offset;
  std::uint32_t count;
  std::uint8_t version;
  std::uint8_t kind;
  std::uint16_t key_length;
  std::uint64_t ts_recv;
  std::uint64_t ts_recv_max;
  std::uint64_t position_max;
};
inline constexpr std::size_t kFrameHeaderBytes = sizeof(FrameHeader);
inline constexpr std::uint8_t kFrameVersion = 1;
static_assert(sizeof(FrameHeader) == 48);

// Shared by every process that has the partition open. Writers change it under the partition's lock; followers read
// end_position with acquire order and nothing beyond it. All of it can be made again from the segments.
struct PartitionPage {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t static_crc;  // CRC32C of the first 64 bytes with this field 0.
  LogId log_id;
  std::uint64_t boot;    // Of the machine's run: after a reboot the page may be older or newer than the data.
  std::uint64_t inode;   // Of this file: a copied directory is not trusted either.
  std::uint64_t device;
  std::uint64_t reserved;
  alignas(64) std::atomic<std::uint64_t> end_position;  // Logical; the publication.
  std::atomic<std::uint64_t> end_offset;
  std::atomic<std::uint64_t> pending_position;  // What the append in progress will publish: who dies between the two
  std::atomic<std::uint64_t> pending_offset;    // stores of a publication leaves enough to finish it.
  std::atomic<std::uint64_t> pending_check;
  std::atomic<std::uint64_t> intent_position;  // How far the append in progress may write: the next writer clears that far.
  std::atomic<std::uint64_t> ts_recv_newest;
  std::atomic<std::uint64_t> synced_position;  // Known to be on disk.
  alignas(64) std::atomic<std::uint64_t> begin_offset;
  std::atomic<std::uint64_t> structure;  // Bumped when segments come, go or are swapped.
  std::atomic<std::uint64_t> recoveries;
  std::atomic<std::uint64_t> segment_ts_recv_max;  // Of the active segment, for its seal; never below the truth.
  std::atomic<std::uint64_t> segment_position_max;
  std::atomic<std::uint64_t> segment_ts_recv_min;  // Never above the truth; ~0: none.
};
static_assert(sizeof(PartitionPage) <= kPageBytes && offsetof(PartitionPage, end_position) == 64);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

// One per log: every append bumps `word` by 2; bit 0 says that somebody waits on it.
struct NotifyPage {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t reserved;
  alignas(64) std::atomic<std::uint32_t> word;
};

constexpr std::uint64_t Mix(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdull;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ull;
  return x ^ (x >> 33);
}
constexpr std::uint64_t PendingCheck(std::uint64_t position, std::uint64_t offset) { return Mix(position ^ Mix(offset + 1)) | 1; }
constexpr std::uint64_t SealCheck(std::uint64_t end, std::uint64_t next, std::uint64_t ts_max, std::uint64_t position_max,
                                  std::uint64_t ts_min) {
  return Mix(end ^ Mix(next ^ Mix(ts_max ^ Mix(position_max ^ Mix(ts_min + 1))))) | 1;
}
constexpr std::uint64_t Align8(std::uint64_t n) { return (n + 7) & ~7ull; }

}  // namespace tw::journal
