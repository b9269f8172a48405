// The shared page of a consumer group: groups/<group>.group in the log's directory, mapped by every member.
//
// Every change is one atomic 64-bit store or compare-and-swap that leaves the page valid, so a member may be killed or
// stopped between any two instructions: nobody waits for a lock it held, and nothing it writes later can take effect.
// (An OFD lock guards only the making of the file and of its topic table.)
//
//   member slot   identity = pid << 32 | incarnation, 0: free. The other words carry the incarnation's low 16 bits as a
//                 stamp; a word with another stamp belongs to an earlier holder and does not count.
//   partition     owner  = generation << 16 | slot + 1 (0: nobody). Each taking adds one to the generation.
//                 commit = generation's low 16 bits << 48 | offset + 1 (0: nothing committed).
//                 Taking over writes owner, then the new generation into commit: from there a commit by the one before
//                 does not compare equal, however long it slept.
#pragma once
#include <atomic>
#include <cstdint>

namespace tw::journal::page {

inline constexpr std::uint64_t kMagic = 0x31505247'57544b54ull;
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::uint32_t kMembersMax = 64;
inline constexpr std::uint32_t kTopicsMax = 48;  // A member's topics are a mask of 48 bits.
inline constexpr std::uint32_t kPartitionsMax = 256;
inline constexpr std::uint64_t kOffsetMask = (1ull << 48) - 1;
inline constexpr std::size_t kNameMax = 239;

using Word = std::atomic<std::uint64_t>;
static_assert(Word::is_always_lock_free && sizeof(Word) == 8);

struct Header {
  Word magic;  // Written last.
  std::uint32_t version;
  std::uint32_t members_max;
  std::uint32_t topics_max;
  std::uint32_t partitions_max;
  char log_id[40];
  Word durable;      // 1: retention waits for this group. Never cleared by a member that does not ask for it.
  Word boot;         // Hash of the machine's boot id: after a reboot no member is alive.
  Word incarnation;  // The last one given.
  Word generation;   // +1 with each join, leave and eviction.
  std::uint8_t reserved[4096 - 96];
};

struct Member {
  Word identity;
  Word start;      // stamp << 48 | start time of the process, clock ticks since boot.
  Word topics;     // stamp << 48 | mask of topics.
  Word heartbeat;  // stamp << 48 | ms of the group's clock. Stored last: from here the member counts.
  Word pid_namespace;
  std::uint64_t reserved[3];
};

struct Topic {
  Word partitions;  // 0: unused. Stored after the name; only grows.
  char name[kNameMax + 1];
  std::uint64_t reserved;
};

struct Partition {
  Word owner;
  Word commit;
  std::uint64_t reserved[2];
};

struct Page {
  Header header;
  Member members[kMembersMax];
  Topic topics[kTopicsMax];
  Partition partitions[kTopicsMax * kPartitionsMax];
};
static_assert(sizeof(Header) == 4096 && sizeof(Member) == 64 && sizeof(Topic) == 256 && sizeof(Partition) == 32);

inline constexpr std::uint64_t Stamped(std::uint64_t identity, std::uint64_t value) {
  return (identity << 48) | (value & kOffsetMask);
}
inline constexpr bool HasStamp(std::uint64_t word, std::uint64_t identity) { return (word >> 48) == (identity & 0xffff); }

inline constexpr std::uint64_t Owner(std::uint64_t generation, std::uint32_t slot_plus_one) {
  return (generation << 16) | slot_plus_one;
}
inline constexpr std::uint32_t OwnerSlot(std::uint64_t owner) { return static_cast<std::uint32_t>(owner & 0xffff); }
inline constexpr std::uint64_t OwnerGeneration(std::uint64_t owner) { return owner >> 16; }

inline constexpr std::uint64_t CommitWord(std::uint64_t generation, std::uint64_t offset_plus_one) {
  return (generation << 48) | (offset_plus_one & kOffsetMask);
}
// Signed distance of two 16-bit generation tags: survives their wrapping.
inline constexpr std::int16_t TagDistance(std::uint64_t newer, std::uint64_t older) {
  return static_cast<std::int16_t>(static_cast<std::uint16_t>(newer) - static_cast<std::uint16_t>(older));
}

}  // namespace tw::journal::page
