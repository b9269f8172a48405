// The end of a Kafka partition, read once before writing goes on: which records stand there already. A crash between an
// acknowledgement and its commit repeats records; those that the tail knows are left out.
//
// Reads:    Kafka, from so far back that everything behind the committed position is seen. Writes nothing.
// Threads:  the caller's.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "kafka/client.h"
#include "model/stream.h"

namespace tw::publish {

// A record that is known to stand in the partition: reading begins at or before it.
struct Anchor {
  StreamKey stream;
  std::uint64_t position = 0;
};

class Tail {
 public:
  // The record stands in the partition.
  void Learn(const void* record);
  // False: it stands there already. Records are asked about in the order of the log.
  bool IsNew(const void* record);
  bool empty() const { return cursors_.empty() && others_.empty(); }
  // Does what was learned reach back to the anchor?
  bool Reaches(const Anchor& anchor) const;
  void Clear();

 private:
  std::unordered_map<StreamKey, StreamCursor, StreamKeyHash> cursors_;
  std::unordered_map<StreamKey, std::uint64_t, StreamKeyHash> first_;
  // Clock, status and gap records by their bytes: they have no (epoch, seq) of their own.
  std::unordered_set<std::uint64_t> others_;
};

struct TailOf {
  std::string topic;  // Kafka's.
  std::int32_t partition = 0;
  std::optional<Anchor> anchor;
  Tail tail;
};

// Reads the last `messages` of each partition, and further back until its anchor is seen. False: *error says why; nothing of it
// may be used. `beat` is called meanwhile; false from it: give up.
bool ReadTails(const kafka::Properties& properties, std::span<TailOf> tails, std::int64_t messages, std::uint32_t timeout_ms,
               const std::function<bool()>& beat, std::string* error);

}  // namespace tw::publish
