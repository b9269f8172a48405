// A topic as its subscribers see it: streams with their last values, and groups of subscribers that asked for the same.
// Reads batches of the log. Writes chunks, one per group and burst. Any thread, under the gateway's lock.
// When a subscriber is slow: subscription.h. This side never waits.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fanout/chunk.h"
#include "fanout/encoder.h"
#include "model/instrument.h"
#include "model/record.h"
#include "model/stream.h"

namespace tw::fanout {

class Group;
class Topic;
struct Subscription;

// The newest records of one stream. Bars keep `history` of them, everything else one.
struct Stream {
  StreamKey key;
  StreamCursor cursor;
  const Instrument* instrument = nullptr;
  std::uint64_t count = 0;        // Records accepted, gap records included.
  std::uint64_t value_count = 0;  // `count` as of the newest value.
  std::size_t record_words = 0;
  std::size_t history = 1;
  std::size_t values = 0;  // Values kept so far in all; the newest stands at (values - 1) % history.
  std::vector<std::uint64_t> ring;
  bool gap_after_value = false;
  Gap gap{};  // The newest gap record behind the newest value.
  struct Membership {
    Group* group;
    std::uint32_t member;
  };
  std::vector<Membership> groups;

  void Keep(const Header* record);
  // The i-th newest value, 0 the newest.
  const Header* Value(std::size_t i) const {
    return reinterpret_cast<const Header*>(ring.data() + (values - 1 - i) % history * record_words);
  }
  std::size_t kept() const { return values < history ? values : history; }
};

// What a group of subscribers wants of a topic.
struct Filter {
  Format format = Format::kBinary;
  std::vector<std::string> symbols;         // Sorted; empty: all.
  std::vector<std::uint32_t> intervals_ms;  // Of bars, sorted; empty: all.
  bool Wants(const Stream& stream) const;
  std::string Key() const;
};

// Subscribers with one filter share every byte that is encoded for them.
class Group {
 public:
  Group(Topic* topic, Filter filter) : topic_(topic), filter_(std::move(filter)) {}
  const Filter& filter() const { return filter_; }
  Topic* topic() const { return topic_; }
  const std::vector<Stream*>& members() const { return members_; }
  // Stream::count at the moment the stream joined the group: what came before was never offered here.
  std::uint64_t joined(std::size_t member) const { return joined_[member]; }
  std::uint32_t announced() const { return static_cast<std::uint32_t>(announced_.size()); }
  // Appends the text frame that names instruments [from, announced()).
  void AppendAnnouncement(std::uint32_t from, const InstrumentTable& instruments, std::string* out) const;
  std::vector<Subscription*> subscriptions;

 private:
  friend class Topic;
  Topic* topic_;
  Filter filter_;
  std::vector<Stream*> members_;
  std::vector<std::uint64_t> joined_;
  std::vector<std::uint32_t> announced_;  // Instrument ids in the order they were met; one that got its name later twice.
  std::unordered_set<std::uint64_t> announced_set_;
  // The burst under way.
  ChunkRef chunk_;
  std::vector<std::uint32_t> share_of_member_;  // Index into chunk_->shares plus one.
  std::vector<const Header*> taken_;            // Of the batch under way.
};

struct TopicCounters {
  std::uint64_t records = 0;
  std::uint64_t repeats = 0;         // Not above the last accepted (epoch, seq) of their stream.
  std::uint64_t without_stream = 0;  // Clock and status records.
  std::uint64_t bad_batches = 0;
  std::uint64_t unknown_types = 0;
  std::uint64_t unknown_instruments = 0;
  std::uint64_t lost_offsets = 0;  // Stepped over in the log.
};

class Topic {
 public:
  using Emit = std::function<void(Group*, const ChunkRef&)>;
  Topic(std::string name, std::uint16_t number, std::size_t bar_history, const InstrumentTable& instruments, Encoder* encoder, ChunkPool* pool)
      : name_(std::move(name)), number_(number), bar_history_(bar_history), instruments_(instruments), encoder_(encoder), pool_(pool) {}

  const std::string& name() const { return name_; }
  std::uint16_t number() const { return number_; }

  // The first instrument of the batch that the table does not know; 0: all known. For the caller who can wait.
  std::uint32_t UnknownInstrument(const wire::BatchView& batch) const;
  // One batch of the log, `bytes` parsed as `batch`. Finished chunks go to `emit` when a group's chunk reaches `chunk_bytes_max`.
  void Take(std::uint16_t partition, std::uint64_t offset, std::span<const std::uint8_t> bytes, const wire::BatchView& batch,
            std::size_t chunk_bytes_max, const Emit& emit);
  void CountBad(wire::BatchError error) { ++(error == wire::BatchError::kUnknownType ? counters.unknown_types : counters.bad_batches); }
  // Ends the burst: every group's unfinished chunk goes out.
  void Flush(const Emit& emit);

  Group* FindOrMakeGroup(Filter filter);
  void DropGroupIfEmpty(Group* group);
  const std::vector<std::unique_ptr<Stream>>& streams() const { return streams_; }
  TopicCounters counters;
  bool live = false;  // The tail was reached once: last values are complete, subscribers may come.

 private:
  Stream* StreamFor(const void* record);
  void Join(Stream* stream, Group* group);
  void Resolve(Stream* stream);
  void Note(const Stream::Membership& membership, const Header* record);
  void Begin(Group* group);

  const std::string name_;
  const std::uint16_t number_;
  const std::size_t bar_history_;
  const InstrumentTable& instruments_;
  Encoder* const encoder_;
  ChunkPool* const pool_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::unordered_map<StreamKey, Stream*, StreamKeyHash> by_key_;
  std::unordered_map<std::string, std::unique_ptr<Group>> groups_;
  std::vector<Group*> touched_;  // Groups with a chunk under way.
  std::vector<Group*> taking_;   // Groups with records of the batch under way.
};

}  // namespace tw::fanout
