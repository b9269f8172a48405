// Consumer groups of the embedded log: members share the partitions of their topics, each partition has one owner, and
// the owner alone commits. The page and why it needs no lock: group_page.h.
//
// A partition moves only after its owner released it, or is dead (replaced at the others' next Tick) or hung (no
// heartbeat for hung_ms). There is no coordinator: each member computes its share from the page, releases what is above
// it and takes free partitions up to it, so a move is sticky and cooperative.
//
// Threads:  Tick, Release and Leave belong to one thread, the one that beats; it must not wait for the event loop.
//           Commit, Check and Committed are for any thread.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "journal/log.h"

namespace tw::journal {

struct GroupTopic {
  std::string name;
  std::uint32_t partitions = 1;
};

struct GroupOptions {
  std::string directory;  // The log's; Log::JoinGroup fills in both.
  std::string log_id;
  std::string group;
  std::vector<GroupTopic> topics;
  bool durable = false;  // Retention waits for what this group has not committed.
  std::uint32_t hung_ms = 6000;
  std::function<std::uint64_t()> now_ns;  // One clock for all members of the machine; null: CLOCK_MONOTONIC.
};

struct Assignment {
  std::uint32_t topic = 0;  // Index in GroupOptions::topics.
  std::uint32_t partition = 0;
  std::uint64_t generation = 0;  // Of this taking; no other member ever has the partition under it.

  bool operator==(const Assignment&) const = default;
};

class Group {
 public:
  struct Changes {
    std::vector<Assignment> assigned;  // Ours from now on; start at Committed().
    std::vector<Assignment> revoked;   // To be given up: finish what is in flight, commit, then Release.
    std::vector<Assignment> lost;      // Another may have them already: drop everything; commits are refused.
    bool evicted = false;              // We were taken for dead or hung and have joined again.
    void Clear() { assigned.clear(), revoked.clear(), lost.clear(), evicted = false; }
  };
  struct MemberInfo {
    std::uint32_t pid = 0;
    std::uint32_t partitions = 0;
    std::uint64_t heartbeat_age_ms = 0;
  };

  static std::unique_ptr<Group> Join(const GroupOptions& options, std::string* error);
  virtual ~Group() = default;

  // Beats, evicts the dead and the hung, and moves towards our share. Call every heartbeat (200 ms).
  virtual void Tick(Changes* changes) = 0;
  virtual void Release(const Assignment& assignment) = 0;
  virtual void Leave() = 0;
  // The topic has more partitions now.
  virtual bool Grow(std::uint32_t topic, std::uint32_t partitions) = 0;

  // kOk, kFenced (the partition is not ours in that generation), kInvalid. Survives the death of the process.
  virtual Status Commit(const Assignment& assignment, std::uint64_t offset) = 0;
  virtual Status Check(const Assignment& assignment) const = 0;
  virtual std::optional<std::uint64_t> Committed(std::uint32_t topic, std::uint32_t partition) const = 0;
  virtual std::uint64_t generation() const = 0;  // Of the membership; rises with each join, leave and eviction.
  virtual std::vector<MemberInfo> Members() const = 0;
};

// What a group has committed on a partition, without joining it.
std::optional<std::uint64_t> CommittedOf(const std::string& directory, const std::string& log_id, const std::string& group,
                                         const std::string& topic, std::uint32_t partition);

// The lowest offset a durable group still needs; nullopt: no durable group reads the partition. A group that has committed
// nothing needs all of it.
std::optional<std::uint64_t> DurableFloor(const std::string& directory, const std::string& log_id, const std::string& topic,
                                          std::uint32_t partition);

}  // namespace tw::journal
