// A lane's state in the compacted state topic: chunks, then a manifest that makes them valid. Two sets of keys (a, b) take
// turns, so that compaction never removes the last whole snapshot while the next one is being written.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "journal/log.h"

namespace tw::bars {

struct Snapshot {
  std::uint64_t number = 0;         // Rises with each snapshot of the lane.
  std::uint64_t input_offset = 0;   // The first input offset that the state has not seen.
  std::uint64_t output_offset = 0;  // Outputs of the state stand before it.
  std::uint64_t ts_recv = 0;        // Log time.
  std::vector<std::uint8_t> state;
};

struct LaneKey {
  std::string topic;
  std::uint32_t partition = 0;
  std::string log_id;
};

// kOk, or the status of the append that failed; nothing is valid until the last one stood.
journal::Status WriteSnapshot(journal::Appender* appender, const LaneKey& lane, const Snapshot& snapshot, std::uint64_t origin);

// The newest whole snapshot of the lane in the partition. kNotFound: there is none; any other: the partition could not be read to
// its end. `beat` is called between messages.
journal::Status ReadSnapshot(journal::Reader* reader, const LaneKey& lane, const std::function<void()>& beat, Snapshot* out);

}  // namespace tw::bars
