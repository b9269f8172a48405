// Which (input topic, partition) pairs this process works on. Fixed, or shared with other processes through a consumer
// group. One thread, the processor's.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "journal/group.h"
#include "journal/log.h"

namespace tw::bars {

struct LaneId {
  std::uint16_t input = 0;  // Number of the topic in the processor's options.
  std::uint32_t partition = 0;
  std::uint64_t generation = 0;  // Of this taking.

  bool operator==(const LaneId&) const = default;
};

class Ownership {
 public:
  struct Changes {
    std::vector<LaneId> assigned;
    std::vector<LaneId> revoked;  // Finish what is in flight, commit, Release.
    std::vector<LaneId> lost;     // Another may have it already: drop everything.
  };
  virtual ~Ownership() = default;
  // Call often, also in long work: it keeps the membership alive. Changes are added to *changes.
  virtual void Poll(Changes* changes) = 0;
  virtual bool Owns(const LaneId& lane) const = 0;
  virtual journal::Status Commit(const LaneId& lane, std::uint64_t offset) = 0;
  virtual void Release(const LaneId& lane) = 0;
  virtual void Leave() = 0;
};

struct InputTopic {
  std::string name;
  std::uint32_t partitions = 1;
};

// All partitions of all inputs when `partitions` is empty.
std::unique_ptr<Ownership> FixedOwnership(const std::vector<InputTopic>& inputs, const std::vector<std::uint32_t>& partitions);
// Null: *error says why.
std::unique_ptr<Ownership> GroupOwnership(journal::Log* log, const journal::GroupOptions& options, std::string* error);

}  // namespace tw::bars
