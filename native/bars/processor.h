// The bars processor: one native thread that follows its share of the input partitions and appends bars to the same
// partitions of the output topic. Start and stop it from one thread; stats from any.
//
// When full:  a busy or full log stops reading and is tried again (blocked in the stats); nothing is dropped.
// After a crash: the newest whole snapshot is restored, the input read from there, and no bar is appended that stands
//             in the output already.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bars/lane.h"

namespace tw::bars {

struct ProcessorOptions {
  std::string name = "bars";         // Its state topic is tickwire.state.{name}.
  std::vector<std::string> inputs;   // Their order numbers them in causes: never reorder, only add.
  std::string output;                // Must exist, or is made with the inputs' partitions.
  std::vector<std::uint32_t> partitions;  // Without a group: only these; empty: all.
  std::string group;                 // Share the partitions with the other members of this group; empty: alone.
  std::uint32_t group_hung_ms = 6000;  // A member that did not beat for so long loses its partitions.
  Options bars;
  std::uint32_t batch_records = 256;
  std::uint64_t snapshot_ns = 30'000'000'000;
  std::uint64_t origin = 0;                 // Process incarnation.
  std::function<std::uint64_t()> wall_ns;   // ts_append; null: CLOCK_REALTIME.
};

enum class ProcessorState : std::uint8_t { kNew = 0, kRunning = 1, kStopped = 2, kFailed = 3 };

struct ProcessorLane {
  std::string topic;
  std::uint32_t partition = 0;
  LaneStats lane;
  Stats bars;
};

struct ProcessorStats {
  ProcessorState state = ProcessorState::kNew;
  std::string error;
  bool blocked = false;  // The log does not take the bars now: busy, or the disk is full.
  std::vector<ProcessorLane> lanes;
};

class Processor {
 public:
  Processor(std::shared_ptr<journal::Log> log, ProcessorOptions options);
  ~Processor();  // Stops.
  Processor(const Processor&) = delete;
  Processor& operator=(const Processor&) = delete;

  // Empty, or why it does not start. Restoring happens on the thread, before the first record.
  std::string Start();
  // Bars of what was read are appended, state is written, the thread is joined. A log that takes nothing is given up after
  // five seconds: a restart derives the same bars again.
  void Stop();
  ProcessorStats stats() const;

 private:
  std::string Prepare();
  void Run();
  bool Apply(Ownership::Changes* changes);
  bool OpenLane(const LaneId& id);
  void CloseLane(const LaneId& id, bool finish);
  void Publish();
  void Fail(const std::string& error);

  std::shared_ptr<journal::Log> log_;
  ProcessorOptions options_;
  std::vector<InputTopic> topics_;
  std::unique_ptr<Ownership> ownership_;
  std::unique_ptr<journal::Waiter> waiter_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  Ownership::Changes changes_;  // Seen in a beat, not yet applied.
  std::atomic<bool> stop_{false};
  std::thread thread_;
  mutable std::mutex mutex_;  // Guards published_.
  ProcessorStats published_;
  bool blocked_ = false;
  std::uint64_t finish_until_ns_ = 0;  // Of a stop.
};

}  // namespace tw::bars
