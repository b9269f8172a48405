#include "publish/publisher.h"

#include <pthread.h>
#include <sys/prctl.h>

#include <algorithm>
#include <utility>

#include "publish/lane.h"
#include "ring/wall_clock.h"

namespace tw::publish {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kBeatNs = 200 * kMs;
constexpr std::uint64_t kRetryNs = 250 * kMs;
constexpr std::uint32_t kBeatsPerGrowth = 5;
// How soon what is appended is seen while no append wakes: beside records that gather, and beside partitions that are full.
constexpr std::uint64_t kLookNs = kMs / 5;
constexpr std::uint64_t kFullLookNs = kMs;
constexpr std::uint64_t kFullWaitNs = 10 * kMs;

}  // namespace

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
  producer_ = Producer::Make(
      options_.producer, &counters_, options_.now_ns, [this] { wake_.Notify(); }, &error);
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
  producer_ = Producer::Make(
      options_.producer, &counters_, options_.now_ns, [this] { wake_.Notify(); }, &error);
  if (producer_ == nullptr) blocked_ = error;
  return producer_ != nullptr;
}

void Publisher::CommitDue(std::uint64_t now_ns, bool all) {
  if (!all && now_ns < next_commit_ns_) return;
  next_commit_ns_ = now_ns + options_.commit_ms * kMs;
  for (const auto& lane : lanes_) {
    if (lane->flight != nullptr) Commit(*lane);
  }
  Publish();
}

// Sleeps until something can be done. While records are held back or a queue is full the log's appends do not wake it: they gather, and
// are looked for now and then. What was due when the round began has been refused in it, and waits for acknowledgements.
void Publisher::Wait(std::uint32_t ticket, std::uint64_t round_ns, std::uint64_t now_ns) {
  std::uint64_t until_ns = std::min(next_beat_ns_, now_ns + kBeatNs);
  bool holds = full_;
  bool uncommitted = false;
  bool room = false;
  for (const auto& lane : lanes_) {
    if (lane->writer == nullptr || lane->waits) until_ns = std::min(until_ns, now_ns + 10 * kMs);
    if (lane->writer == nullptr) continue;
    const std::uint64_t due_ns = lane->writer->due_ns();
    holds = holds || due_ns != 0;
    room = room || !lane->full;
    if (due_ns > round_ns || (due_ns != 0 && !full_)) until_ns = std::min(until_ns, due_ns);
    uncommitted = uncommitted || lane->flight->size() != 0 || lane->flight->acknowledged() != lane->committed;
  }
  if (uncommitted) until_ns = std::min(until_ns, next_commit_ns_);
  if (until_ns <= now_ns) return;
  if (holds) {
    until_ns = std::min(until_ns, now_ns + (!full_ ? kLookNs : room ? kFullLookNs : kFullWaitNs));
    wake_.Wait(until_ns - now_ns);
  } else {
    waiter_->Wait(ticket, static_cast<std::uint32_t>(std::max<std::uint64_t>((until_ns - now_ns) / kMs, 1)));
  }
}

void Publisher::Run() {
  pthread_setname_np(pthread_self(), options_.thread_name.c_str());
  // The kernel's 50 us are a quarter of a look.
  prctl(PR_SET_TIMERSLACK, 1000UL);
  while (!stopping_.load()) {
    const std::uint32_t ticket = waiter_->Ticket();
    const std::uint64_t round_ns = Now();
    Beat(round_ns);
    Apply();
    full_ = false;
    bool more = false;
    // Before the work: an acknowledgement that comes during it must not be slept over.
    wake_.Arm();
    if (Recover(round_ns)) {
      // One that cannot be opened now does not hold up the others.
      (void)OpenWaiting(round_ns);
      for (const auto& lane : lanes_) {
        if (lane->writer != nullptr) more = Turn(*lane, round_ns) || more;
      }
    }
    const std::uint64_t now_ns = Now();
    CommitDue(now_ns, false);
    if (!more && !stopping_.load()) Wait(ticket, round_ns, now_ns);
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
