// The partitions of a publisher: taken, opened, read, committed, given up.
#include <algorithm>
#include <utility>

#include "publish/lane.h"
#include "publish/publisher.h"

namespace tw::publish {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kRetryNs = 250 * kMs;
constexpr std::uint64_t kCloseWaitNs = 10 * kMs;  // Between two looks at what is in flight of a partition that is given up.
constexpr int kMessagesPerTurn = 64;

}  // namespace

void Publisher::Apply() {
  journal::Group::Changes now;
  std::swap(now, changes_);
  for (const journal::Assignment& assignment : now.assigned) {
    auto lane = std::make_unique<Lane>();
    lane->assignment = assignment;
    const auto committed = group_->Committed(assignment.topic, assignment.partition);
    lane->position = committed.value_or(0);
    lane->committed = committed.value_or(~0ull);
    lanes_.push_back(std::move(lane));
  }
  const auto retire = [&](const journal::Assignment& assignment, bool finish) {
    const auto at = std::find_if(lanes_.begin(), lanes_.end(), [&](const auto& lane) { return lane->assignment == assignment; });
    if (at != lanes_.end()) {
      if (finish) Close(**at, Now());
      if ((*at)->flight != nullptr) retired_.push_back(std::move((*at)->flight));
      lanes_.erase(at);
    }
    if (finish) group_->Release(assignment);
  };
  for (const journal::Assignment& assignment : now.lost) retire(assignment, false);
  for (const journal::Assignment& assignment : now.revoked) retire(assignment, true);
}

// Another member takes the partition over: what is in flight is waited for, so that the two do not write at the same time.
void Publisher::Close(Lane& lane, std::uint64_t now_ns) {
  if (lane.writer == nullptr) return;
  const std::uint64_t deadline_ns = now_ns + options_.stop_ms * kMs;
  while (Now() < deadline_ns && !producer_->failed()) {
    wake_.Arm();
    // A message of which a part was sent is finished first.
    if (lane.held) {
      const Writer::Result taken = lane.writer->Take(lane.view, Now());
      if (taken == Writer::Result::kWait) break;
      lane.held = taken != Writer::Result::kTaken;
    }
    const Writer::Result flushed = lane.writer->Flush(Now(), true);
    if (!lane.held && flushed == Writer::Result::kTaken && lane.flight->size() == 0) break;
    wake_.Wait(kCloseWaitNs);
    wake_.Disarm();
    Beat(Now());
  }
  Commit(lane);
}

// Opens the lanes that were assigned and are not open: their writers ask the brokers, so all at once.
bool Publisher::OpenWaiting(std::uint64_t now_ns) {
  std::vector<LaneStart> starts;
  std::vector<Lane*> opened;
  bool all = true;
  for (const auto& lane : lanes_) {
    if (lane->writer != nullptr) continue;
    if (now_ns < retry_ns_) return false;
    const std::string& topic = options_.topics[lane->assignment.topic];
    journal::TopicOptions found;
    journal::Status status = journal::Status::kNotFound;
    if (log_->FindTopic(topic, &found)) lane->reader = log_->OpenReader(topic, lane->assignment.partition, &status);
    if (lane->reader == nullptr) {
      retry_ns_ = now_ns + kRetryNs;
      blocked_ =
          topic + " partition " + std::to_string(lane->assignment.partition) + " cannot be read: " + journal::StatusName(status);
      all = false;
      continue;
    }
    // A commit behind the end cannot be true (another directory): repeating is allowed, skipping is not.
    if (lane->position > lane->reader->end_offset()) lane->position = 0;
    if (lane->position > lane->reader->begin_offset() || lane->committed != ~0ull) (void)lane->reader->SeekOffset(lane->position);
    lane->position = lane->reader->position();
    lane->flight = std::make_unique<Flight>(lane->position);
    lane->held = false;
    starts.push_back({.topic = topic,
                      .topic_index = lane->assignment.topic,
                      .partition = lane->assignment.partition,
                      .partitions = found.partitions,
                      .position = lane->position,
                      .end = lane->reader->end_offset(),
                      .flight = lane->flight.get(),
                      .writer = nullptr});
    opened.push_back(lane.get());
  }
  if (starts.empty()) return all;
  std::string error;
  const auto beat = [this] {
    Beat(Now());
    return !stopping_.load() && changes_.revoked.empty() && changes_.lost.empty();
  };
  if (!factory_->Make(producer_.get(), starts, beat, &error)) {
    retry_ns_ = Now() + kRetryNs;
    if (!error.empty()) blocked_ = error;
    return false;
  }
  for (std::size_t i = 0; i < starts.size(); ++i) {
    opened[i]->writer = std::move(starts[i].writer);
    // A restart before the first acknowledgement begins at the same place.
    if (opened[i]->committed == ~0ull) Commit(*opened[i]);
  }
  if (all) blocked_.clear();
  return all;
}

// True: there may be more to read.
bool Publisher::Turn(Lane& lane, std::uint64_t now_ns) {
  lane.waits = false;
  const auto refuse = [&] {
    lane.full = full_ = true;
    return false;
  };
  lane.full = false;
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    if (lane.flight->size() >= kParcelsMax) {
      return refuse();
    }
    if (!lane.held) {
      const journal::Status status = lane.reader->Next(&lane.view);
      if (status == journal::Status::kSkipped || status == journal::Status::kExpired) {
        lost_offsets_ += lane.reader->skip().to_offset - lane.reader->skip().from_offset;
        counters_.Error(journal::StatusName(status),
                        options_.topics[lane.assignment.topic] + " partition " + std::to_string(lane.assignment.partition) +
                            ": offsets " + std::to_string(lane.reader->skip().from_offset) + " to " +
                            std::to_string(lane.reader->skip().to_offset) + " were gone before they were published");
        continue;
      }
      if (status != journal::Status::kOk) {
        const Writer::Result flushed = lane.writer->Flush(now_ns, false);
        return flushed == Writer::Result::kFull ? refuse() : false;
      }
      lane.held = true;
    }
    switch (lane.writer->Take(lane.view, now_ns)) {
      case Writer::Result::kTaken: break;
      case Writer::Result::kWait: lane.waits = true; return false;
      case Writer::Result::kFull: return refuse();
      case Writer::Result::kFailed: return false;
    }
    lane.held = false;
    if (++lane.since_commit >= kParcelsMax) Commit(lane);
  }
  return true;
}

void Publisher::Commit(Lane& lane) {
  const std::uint64_t acknowledged = lane.flight->acknowledged();
  lane.since_commit = 0;
  if (acknowledged == lane.committed) return;
  if (group_->Commit(lane.assignment, acknowledged) == journal::Status::kOk) lane.committed = acknowledged;
}

}  // namespace tw::publish
