#include "publish/publisher.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "ring/wall_clock.h"

namespace tw::publish {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kBeatNs = 200 * kMs;
constexpr std::uint64_t kRetryNs = 250 * kMs;
constexpr std::uint32_t kBeatsPerGrowth = 5;
constexpr std::uint64_t kFullWaitNs = 10 * kMs;
constexpr int kMessagesPerTurn = 64;

}  // namespace

struct Publisher::Lane {
  journal::Assignment assignment;
  std::unique_ptr<journal::Reader> reader;
  std::unique_ptr<Flight> flight;
  std::unique_ptr<Writer> writer;  // Null: not opened yet.
  journal::MessageView view;
  bool held = false;  // `view` was read and has not been taken.
  bool waits = false;  // The writer said kWait.
  std::uint64_t position = 0;   // Where it starts when it is opened (again).
  std::uint64_t committed = 0;
  std::uint32_t since_commit = 0;  // Messages of the log.
};

Publisher::Publisher(std::shared_ptr<journal::Log> log, PublisherOptions options, std::shared_ptr<WriterCounters> counters,
                     std::unique_ptr<WriterFactory> factory)
    : log_(std::move(log)), options_(std::move(options)), writer_counters_(std::move(counters)), factory_(std::move(factory)) {
  if (!options_.now_ns) options_.now_ns = [] { return ring::ReadClockNs(CLOCK_MONOTONIC); };
}

Publisher::~Publisher() { Stop(); }

std::string Publisher::Start() {
  const std::lock_guard control(control_);
  if (thread_.joinable() || stopping_.load()) return "started before";
  if (options_.topics.empty()) return "no topics to publish";
  journal::GroupOptions group;
  group.group = options_.group;
  group.durable = options_.durable;
  for (const std::string& name : options_.topics) {
    journal::TopicOptions topic;
    if (!log_->FindTopic(name, &topic)) return "no topic " + name + " in the log";
    group.topics.push_back({name, topic.partitions});
  }
  // A property that librdkafka does not know is told now, not when the thread meets it.
  std::string error;
  producer_ = Producer::Make(options_.producer, &counters_, options_.now_ns, [this] { wake_.Notify(); }, &error);
  if (producer_ == nullptr) return error;
  group_ = log_->JoinGroup(group, &error);
  if (group_ == nullptr) return "group " + options_.group + ": " + error;
  waiter_ = log_->OpenWaiter();
  if (waiter_ == nullptr) return "the log gives no waiter";
  {
    const std::lock_guard lock(mutex_);
    published_.state = State::kRunning;
  }
  thread_ = std::thread([this] { Run(); });
  return {};
}

void Publisher::Stop(bool drain) {
  if (!drain) drains_.store(false);
  stopping_.store(true);
  wake_.Notify();
  const std::lock_guard control(control_);
  if (waiter_ != nullptr) waiter_->Interrupt();
  if (thread_.joinable()) thread_.join();
}

PublisherStats Publisher::stats() const {
  PublisherStats stats;
  {
    const std::lock_guard lock(mutex_);
    stats = published_;
  }
  stats.messages = counters_.messages.load(std::memory_order_relaxed);
  stats.bytes = counters_.bytes.load(std::memory_order_relaxed);
  stats.acknowledged = counters_.acknowledged.load(std::memory_order_relaxed);
  stats.failed = counters_.failed.load(std::memory_order_relaxed);
  stats.producers = counters_.producers.load(std::memory_order_relaxed);
  stats.batch_bytes = counters_.batch_bytes.load(std::memory_order_relaxed);
  stats.batch_messages = counters_.batch_messages.load(std::memory_order_relaxed);
  stats.ack_ns_p50 = counters_.ack_ns.Percentile(0.5);
  stats.ack_ns_p99 = counters_.ack_ns.Percentile(0.99);
  stats.age_ns_p50 = counters_.age_ns.Percentile(0.5);
  stats.age_ns_p99 = counters_.age_ns.Percentile(0.99);
  stats.records = writer_counters_->records.load(std::memory_order_relaxed);
  stats.repeats = writer_counters_->repeats.load(std::memory_order_relaxed);
  stats.unknown_instrument = writer_counters_->unknown_instrument.load(std::memory_order_relaxed);
  stats.bad = writer_counters_->bad.load(std::memory_order_relaxed);
  const std::lock_guard lock(counters_.mutex);
  stats.errors = counters_.errors;
  if (stats.error.empty()) stats.error = counters_.last_error;
  return stats;
}

// Takes part in the group. Called while brokers are waited for too: changes gather until they can be applied.
void Publisher::Beat(std::uint64_t now_ns) {
  if (now_ns < next_beat_ns_) return;
  next_beat_ns_ = now_ns + kBeatNs;
  journal::Group::Changes changes;
  group_->Tick(&changes);
  const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  append(changes_.assigned, changes.assigned);
  append(changes_.revoked, changes.revoked);
  append(changes_.lost, changes.lost);
  if (beats_++ % kBeatsPerGrowth != 0) return;
  for (std::uint32_t topic = 0; topic < options_.topics.size(); ++topic) {
    journal::TopicOptions found;
    if (log_->FindTopic(options_.topics[topic], &found)) group_->Grow(topic, found.partitions);
  }
}

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
    wake_.Wait(kFullWaitNs);
    wake_.Disarm();
    Beat(Now());
  }
  Commit(lane);
}

void Publisher::DropProducer() {
  for (const auto& lane : lanes_) {
    lane->writer.reset();
    lane->held = false;
  }
  producer_.reset();
  // From here nothing is acknowledged any more.
  for (const auto& lane : lanes_) {
    if (lane->flight == nullptr) continue;
    lane->position = lane->flight->acknowledged();
    Commit(*lane);
    lane->flight.reset();
    lane->reader.reset();
  }
  retired_.clear();
}

// A producer that lost its order is of no use: a new one goes on behind what was acknowledged.
bool Publisher::Recover(std::uint64_t now_ns) {
  if (producer_ != nullptr && !producer_->failed()) return true;
  DropProducer();
  if (now_ns < retry_ns_) return false;
  retry_ns_ = now_ns + kRetryNs;
  std::string error;
  producer_ = Producer::Make(options_.producer, &counters_, options_.now_ns, [this] { wake_.Notify(); }, &error);
  if (producer_ == nullptr) blocked_ = error;
  return producer_ != nullptr;
}

// Opens the lanes that were assigned and are not open: their writers ask the brokers, so all at once.
bool Publisher::OpenWaiting(std::uint64_t now_ns) {
  std::vector<LaneStart> starts;
  std::vector<Lane*> opened;
  for (const auto& lane : lanes_) {
    if (lane->writer != nullptr) continue;
    if (now_ns < retry_ns_) return false;
    const std::string& topic = options_.topics[lane->assignment.topic];
    journal::TopicOptions found;
    journal::Status status = journal::Status::kNotFound;
    if (log_->FindTopic(topic, &found)) lane->reader = log_->OpenReader(topic, lane->assignment.partition, &status);
    if (lane->reader == nullptr) {
      retry_ns_ = now_ns + kRetryNs;
      blocked_ = topic + " partition " + std::to_string(lane->assignment.partition) + " cannot be read: " + journal::StatusName(status);
      return false;
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
  if (starts.empty()) return true;
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
  blocked_.clear();
  return true;
}

// True: there may be more to read.
bool Publisher::Turn(Lane& lane, std::uint64_t now_ns) {
  lane.waits = false;
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    if (lane.flight->size() >= kParcelsMax) {
      full_ = true;
      return false;
    }
    if (!lane.held) {
      const journal::Status status = lane.reader->Next(&lane.view);
      if (status == journal::Status::kSkipped || status == journal::Status::kExpired) {
        lost_offsets_ += lane.reader->skip().to_offset - lane.reader->skip().from_offset;
        counters_.Error(journal::StatusName(status), options_.topics[lane.assignment.topic] + " partition " + std::to_string(lane.assignment.partition) +
                                                         ": offsets " + std::to_string(lane.reader->skip().from_offset) + " to " +
                                                         std::to_string(lane.reader->skip().to_offset) + " were gone before they were published");
        continue;
      }
      if (status != journal::Status::kOk) {
        const Writer::Result flushed = lane.writer->Flush(now_ns, false);
        full_ = full_ || flushed == Writer::Result::kFull;
        return false;
      }
      lane.held = true;
    }
    switch (lane.writer->Take(lane.view, now_ns)) {
      case Writer::Result::kTaken: break;
      case Writer::Result::kWait: lane.waits = true; return false;
      case Writer::Result::kFull: full_ = true; return false;
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

void Publisher::CommitDue(std::uint64_t now_ns, bool all) {
  if (!all && now_ns < next_commit_ns_) return;
  next_commit_ns_ = now_ns + options_.commit_ms * kMs;
  for (const auto& lane : lanes_) {
    if (lane->flight != nullptr) Commit(*lane);
  }
  Publish();
}

void Publisher::Publish() {
  std::map<std::uint32_t, TopicLag> topics;
  for (const auto& lane : lanes_) {
    TopicLag& topic = topics[lane->assignment.topic];
    topic.topic = options_.topics[lane->assignment.topic];
    ++topic.partitions;
    if (lane->flight == nullptr || lane->reader == nullptr) continue;
    const std::uint64_t end = lane->reader->end_offset();
    const std::uint64_t acknowledged = lane->flight->acknowledged();
    topic.lag += end > acknowledged ? end - acknowledged : 0;
    topic.in_flight += lane->flight->size();
  }
  const std::uint32_t in_flight = producer_ == nullptr ? 0 : producer_->in_flight();
  bool error = !blocked_.empty();
  // An idle connection that a broker closes is an error to librdkafka and none to us.
  if (!error && in_flight != 0) {
    const std::lock_guard lock(counters_.mutex);
    error = !counters_.last_error.empty();
  }
  const std::lock_guard lock(mutex_);
  published_.state = error ? State::kBlocked : State::kRunning;
  published_.error = blocked_;
  published_.in_flight = in_flight;
  published_.lost_offsets = lost_offsets_;
  published_.topics.clear();
  for (auto& [index, topic] : topics) published_.topics.push_back(std::move(topic));
}

// Sleeps until something can be done. While records are held back or acknowledgements are awaited, the log's appends do not wake it:
// they gather, which is what the holding back is for.
void Publisher::Wait(std::uint32_t ticket, std::uint64_t now_ns) {
  std::uint64_t until_ns = std::min(next_beat_ns_, now_ns + kBeatNs);
  bool holds = full_;
  bool uncommitted = false;
  if (full_) until_ns = std::min(until_ns, now_ns + kFullWaitNs);
  for (const auto& lane : lanes_) {
    if (lane->writer == nullptr || lane->waits) until_ns = std::min(until_ns, now_ns + 10 * kMs);
    if (lane->writer == nullptr) continue;
    const std::uint64_t due_ns = lane->writer->due_ns();
    if (due_ns != 0) {
      holds = true;
      until_ns = std::min(until_ns, due_ns);
    }
    uncommitted = uncommitted || lane->flight->size() != 0 || lane->flight->acknowledged() != lane->committed;
  }
  if (uncommitted) until_ns = std::min(until_ns, next_commit_ns_);
  if (until_ns <= now_ns) return;
  if (holds) {
    wake_.Wait(until_ns - now_ns);
  } else {
    waiter_->Wait(ticket, static_cast<std::uint32_t>(std::max<std::uint64_t>((until_ns - now_ns) / kMs, 1)));
  }
}

void Publisher::Run() {
  pthread_setname_np(pthread_self(), options_.thread_name.c_str());
  while (!stopping_.load()) {
    const std::uint32_t ticket = waiter_->Ticket();
    std::uint64_t now_ns = Now();
    Beat(now_ns);
    Apply();
    full_ = false;
    bool more = false;
    // Before the work: an acknowledgement that comes during it must not be slept over.
    wake_.Arm();
    if (Recover(now_ns) && OpenWaiting(now_ns)) {
      for (const auto& lane : lanes_) more = Turn(*lane, now_ns) || more;
    }
    now_ns = Now();
    CommitDue(now_ns, false);
    if (!more && !stopping_.load()) Wait(ticket, now_ns);
    wake_.Disarm();
  }
  Drain(Now() + options_.stop_ms * kMs);
  DropProducer();
  Publish();
  group_->Leave();
  lanes_.clear();
  const std::lock_guard lock(mutex_);
  published_.state = State::kStopped;
}

void Publisher::Drain(std::uint64_t deadline_ns) {
  for (;;) {
    const std::uint64_t now_ns = Now();
    Beat(now_ns);
    Apply();
    if (!drains_.load() || now_ns >= deadline_ns || producer_ == nullptr || producer_->failed()) return;
    bool busy = false;
    wake_.Arm();
    for (const auto& lane : lanes_) {
      if (lane->writer == nullptr) continue;
      const bool more = Turn(*lane, now_ns);
      const bool flushed = lane->writer->Flush(now_ns, true) == Writer::Result::kTaken;
      busy = busy || more || !flushed || lane->flight->size() != 0 || (lane->held && !lane->waits);
    }
    CommitDue(now_ns, false);
    if (!busy) return;
    wake_.Wait(kFullWaitNs);
    wake_.Disarm();
  }
}

}  // namespace tw::publish
