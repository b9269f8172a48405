#include "bars/processor.h"

#include <time.h>

#include <algorithm>

namespace tw::bars {
namespace {

constexpr std::uint32_t kMessagesPerTurn = 64;
constexpr std::uint32_t kWaitMs = 100;       // Also the longest time between two heartbeats of a waiting member.
constexpr std::uint32_t kBlockedWaitMs = 20;
constexpr std::uint64_t kFinishNs = 5'000'000'000;  // For all lanes of a stop; a restart derives again what was not written.

std::uint64_t WallNs() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t MonotonicNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

Processor::Processor(std::shared_ptr<journal::Log> log, ProcessorOptions options) : log_(std::move(log)), options_(std::move(options)) {
  if (!options_.wall_ns) options_.wall_ns = WallNs;
}

Processor::~Processor() { Stop(); }

std::string Processor::Prepare() {
  std::string error = CheckOptions(options_.bars);
  if (!error.empty()) return error;
  if (options_.name.empty() || options_.inputs.empty() || options_.output.empty()) return "a name, inputs and an output are needed";
  if (options_.inputs.size() > 0xffff) return "too many inputs";
  if (options_.batch_records == 0 || options_.batch_records > 65'536) return "batch size outside 1 to 65536";
  std::uint32_t partitions = 0;
  for (const std::string& input : options_.inputs) {
    journal::TopicOptions topic;
    if (!log_->FindTopic(input, &topic)) return "no topic " + input;
    topics_.push_back({input, topic.partitions});
    partitions = std::max(partitions, topic.partitions);
  }
  journal::TopicOptions output;
  if (!log_->FindTopic(options_.output, &output)) {
    output = {};
    output.name = options_.output;
    output.partitions = partitions;
    if (log_->EnsureTopic(output, &error) != journal::Status::kOk) return options_.output + ": " + error;
  } else if (output.partitions < partitions) {
    return options_.output + " has fewer partitions than its input";
  }
  journal::TopicOptions state;
  state.name = "tickwire.state." + options_.name;
  state.partitions = partitions;
  state.segment_bytes = 16ull << 20;
  state.compact = true;
  if (log_->EnsureTopic(state, &error) != journal::Status::kOk) return state.name + ": " + error;
  if (options_.group.empty()) {
    ownership_ = FixedOwnership(topics_, options_.partitions);
  } else {
    journal::GroupOptions group;
    group.group = options_.group;
    group.hung_ms = options_.group_hung_ms;
    for (const InputTopic& topic : topics_) group.topics.push_back({topic.name, topic.partitions});
    ownership_ = GroupOwnership(log_.get(), group, &error);
    if (ownership_ == nullptr) return "group " + options_.group + ": " + error;
  }
  waiter_ = log_->OpenWaiter();
  return waiter_ == nullptr ? "the log gives no waiter" : std::string();
}

std::string Processor::Start() {
  if (thread_.joinable() || stop_.load()) return "started before";
  topics_.clear();
  std::string error = Prepare();
  if (!error.empty()) return error;
  {
    const std::lock_guard lock(mutex_);
    published_.state = ProcessorState::kRunning;
  }
  thread_ = std::thread([this] { Run(); });
  return {};
}

void Processor::Stop() {
  stop_.store(true);
  if (!thread_.joinable()) return;
  waiter_->Interrupt();
  thread_.join();
}

ProcessorStats Processor::stats() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

void Processor::Publish() {
  ProcessorStats next;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    next.lanes.push_back({options_.inputs[lane->id().input], lane->id().partition, lane->stats(), lane->bar_stats()});
  }
  const std::lock_guard lock(mutex_);
  published_.blocked = blocked_;
  published_.lanes = std::move(next.lanes);
}

void Processor::Fail(const std::string& error) {
  const std::lock_guard lock(mutex_);
  published_.state = ProcessorState::kFailed;
  published_.error = error;
}

bool Processor::OpenLane(const LaneId& id) {
  LaneContext context;
  context.log = log_.get();
  context.options = &options_.bars;
  context.input = options_.inputs[id.input];
  context.output = options_.output;
  context.state = "tickwire.state." + options_.name;
  context.origin = options_.origin;
  context.batch_records = options_.batch_records;
  context.snapshot_ns = options_.snapshot_ns;
  context.wall_ns = options_.wall_ns;
  context.beat = [this] { ownership_->Poll(&changes_); };
  auto lane = std::make_unique<Lane>(context, id);
  lane->owns = [this, id] { return ownership_->Owns(id); };
  const std::string error = lane->Open();
  if (!error.empty()) {
    Fail(error);
    return false;
  }
  lanes_.push_back(std::move(lane));
  return true;
}

void Processor::CloseLane(const LaneId& id, bool finish) {
  const auto found = std::find_if(lanes_.begin(), lanes_.end(), [&](const auto& lane) { return lane->id() == id; });
  if (found != lanes_.end()) {
    if (finish) {
      const std::uint64_t until = finish_until_ns_ != 0 ? finish_until_ns_ : MonotonicNs() + kFinishNs;
      while ((*found)->Finish() == Lane::Result::kBlocked && MonotonicNs() < until) ownership_->Poll(&changes_);
      if ((*found)->commit_due()) ownership_->Commit(id, (*found)->CommitOffset());
    }
    lanes_.erase(found);
  }
  if (finish) ownership_->Release(id);
}

// Opening and closing lanes beats, which may bring further changes: they wait for the next round.
bool Processor::Apply(Ownership::Changes* changes) {
  Ownership::Changes now;
  std::swap(now, *changes);
  for (const LaneId& id : now.lost) CloseLane(id, false);
  for (const LaneId& id : now.revoked) CloseLane(id, true);
  for (const LaneId& id : now.assigned) {
    if (ownership_->Owns(id) && !OpenLane(id)) return false;
  }
  return true;
}

void Processor::Run() {
  bool failed = false;
  while (!failed && !stop_.load(std::memory_order_relaxed)) {
    const std::uint32_t ticket = waiter_->Ticket();
    ownership_->Poll(&changes_);
    if (!Apply(&changes_)) {
      failed = true;
      break;
    }
    bool more = false;
    blocked_ = false;
    for (const std::unique_ptr<Lane>& lane : lanes_) {
      ownership_->Poll(&changes_);
      const Lane::Result result = lane->Turn(kMessagesPerTurn);
      if (result == Lane::Result::kFailed) {
        Fail(lane->error());
        failed = true;
        break;
      }
      more |= result == Lane::Result::kMore;
      blocked_ |= result == Lane::Result::kBlocked;
      if (lane->commit_due()) ownership_->Commit(lane->id(), lane->CommitOffset());
    }
    Publish();
    if (more || failed || stop_.load(std::memory_order_relaxed)) continue;
    waiter_->Wait(ticket, blocked_ ? kBlockedWaitMs : kWaitMs);
  }
  finish_until_ns_ = MonotonicNs() + kFinishNs;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    while (!failed && lane->Finish() == Lane::Result::kBlocked && MonotonicNs() < finish_until_ns_) ownership_->Poll(&changes_);
  }
  Publish();
  while (!lanes_.empty()) CloseLane(lanes_.back()->id(), !failed);
  ownership_->Leave();
  const std::lock_guard lock(mutex_);
  if (published_.state == ProcessorState::kRunning) published_.state = ProcessorState::kStopped;
}

}  // namespace tw::bars
