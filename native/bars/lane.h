// One (input topic, partition) of a bars processor: reads it, aggregates, appends the bars to the same partition of the
// output topic, and keeps its state in the log.
//
// Threads:    the processor's.
// When full:  a busy or full log keeps the bars here and reads no further; Turn answers kBlocked until they are out.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bars/aggregator.h"
#include "bars/ownership.h"
#include "bars/snapshot.h"
#include "journal/log.h"
#include "wire/batch.h"

namespace tw::bars {

struct LaneContext {
  journal::Log* log = nullptr;
  const Options* options = nullptr;
  std::string input;
  std::string output;
  std::string state;  // Topic.
  std::uint64_t origin = 0;
  std::uint32_t batch_records = 256;
  std::uint64_t snapshot_ns = 30'000'000'000;  // Of log time.
  std::function<std::uint64_t()> wall_ns;
  std::function<void()> beat;
};

inline constexpr std::size_t kBadOffsetsMax = 64;

struct LaneStats {
  std::uint64_t messages = 0;
  std::uint64_t records = 0;
  std::uint64_t bad_batches = 0;
  std::vector<std::uint64_t> bad_offsets;  // Of the newest of them, at most kBadOffsetsMax: whoever watches buries them.
  std::uint64_t other_messages = 0;  // Opaque ones.
  std::uint64_t log_holes = 0;       // Damaged or deleted stretches stepped over.
  std::uint64_t appended = 0;        // Bars.
  std::uint64_t suppressed = 0;      // Bars that stood in the output before a restart.
  std::uint64_t busy = 0;
  std::uint64_t disk_full = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t snapshots_refused = 0;
  std::uint64_t snapshot_bytes = 0;  // Of the newest.
  std::uint64_t restored_at = 0;     // Input offset at which this run began.
  std::uint64_t position = 0;        // Next input offset.
  std::uint64_t end = 0;             // The input's end when last looked at.
  std::uint64_t watermark = 0;
  std::uint64_t instruments = 0;
};

class Lane : public BarSink {
 public:
  enum class Result : std::uint8_t { kMore, kIdle, kBlocked, kFailed };

  Lane(const LaneContext& context, const LaneId& id);
  // Restores the newest whole snapshot and finds the last bar of ours behind it. Empty, or what is wrong.
  std::string Open();
  // Reads at most `messages_max` messages and appends their bars.
  Result Turn(std::uint32_t messages_max);
  // Bars out, state written. kBlocked: the log does not take them now.
  Result Finish();

  const LaneId& id() const { return id_; }
  const std::string& error() const { return error_; }
  bool commit_due() const { return commit_due_; }
  std::uint64_t CommitOffset() {
    commit_due_ = false;
    return snapshot_input_;
  }
  LaneStats stats() const;
  const Stats& bar_stats() const { return aggregator_.stats(); }

  void OnBar(const Bar& bar) override;
  // Set by the processor: false refuses state writes.
  std::function<bool()> owns;

 private:
  std::string ScanOutput(std::uint64_t from);
  Result Flush();
  Result TakeSnapshot();
  Result FailOr(journal::Status status, const char* what);
  // One offset per record, or one per message and the index in it: as the log counts.
  InputPosition PositionOf(const journal::MessageView& message, const wire::BatchView& batch, std::uint32_t index) const {
    if (message.count == batch.size()) return {message.offset + index, 0, id_.input};
    return {message.offset, index, id_.input};
  }
  LaneKey Key() const { return {context_.input, id_.partition, context_.log->TopicId(context_.input)}; }

  LaneContext context_;
  LaneId id_;
  Aggregator aggregator_;
  wire::BatchBuilder builder_;
  std::unique_ptr<journal::Reader> reader_;
  std::unique_ptr<journal::Appender> appender_;
  std::unique_ptr<journal::Appender> state_appender_;
  std::vector<Bar> pending_;
  std::size_t pending_at_ = 0;
  std::size_t built_end_ = 0;  // Of `pending_`: what stands finished in the builder; 0: nothing.
  std::span<const std::uint8_t> built_;
  LaneStats stats_;
  std::string error_;
  bool has_last_cause_ = false;
  Cause last_cause_{};
  std::uint64_t ts_log_ = 0;       // Newest ts_recv read.
  std::uint64_t ts_snapshot_ = 0;  // Log time of the last snapshot.
  Snapshot snapshot_;
  std::uint64_t snapshot_input_ = 0;
  bool commit_due_ = false;
  bool snapshot_stale_ = false;  // Something was read since.
};

}  // namespace tw::bars
