// The follower threads, one per log: each waits for appends, reads what is new, has it encoded, sends it.
#include <algorithm>
#include <ctime>

#include "fanout/tail.h"
#include "wire/batch.h"

namespace tw::fanout {
namespace {

constexpr std::uint64_t kLookNs = 250'000'000;      // How often topics not there yet and new partitions are looked for.
constexpr std::uint64_t kOpenPatienceNs = 5'000'000'000;  // For a log that does not answer.
constexpr std::size_t kBurstBytes = 1 << 20;        // Read under one holding of the lock.
constexpr std::size_t kWarmBurstBytes = 8 << 20;

std::uint64_t WallNs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000ull + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

// Readers are opened without the lock: a partition that another process is recovering is waited for, which no client should be.
// Topics stay where they are.
bool Server::OpenTails(Follower* follower, std::uint64_t now_ns) {
  if (now_ns < follower->next_open_ns && !follower->topics_changed.exchange(false)) return follower->all_there;
  follower->next_open_ns = now_ns + kLookNs;
  if (follower->give_up_ns == 0) follower->give_up_ns = now_ns + kOpenPatienceNs;
  struct Wanted {
    Topic* topic;
    bool live;
  };
  std::vector<Wanted> topics;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& topic : hub_.topics()) topics.push_back({topic.get(), topic->live});
  }
  std::vector<Topic*> missing;
  bool all_there = true;
  for (const auto& [topic, was_live] : topics) {
    journal::TopicOptions found;
    if (!follower->log->FindTopic(topic->name(), &found)) {
      missing.push_back(topic);
      continue;
    }
    std::uint32_t have = 0;
    for (const auto& tail : follower->tails) have += tail->topic == topic ? 1 : 0;
    for (std::uint32_t partition = have; partition < found.partitions; ++partition) {
      journal::Status status{};
      auto reader = follower->log->OpenReader(topic->name(), partition, &status);
      if (reader == nullptr) {
        all_there = false;
        if (now_ns >= follower->give_up_ns) missing.push_back(topic);
        break;
      }
      auto tail = std::make_unique<Tail>();
      tail->topic = topic;
      tail->partition = partition;
      tail->live_from = reader->end_offset();
      // A topic that came after its first subscribers has no history to them: all of it is live, also of one that could not be opened
      // before, but for what is older than a start would have read.
      tail->live = was_live;
      const std::uint64_t warm = topic->name().find(".ohlcv.") != std::string::npos ? options_.warm_bars : options_.warm_records;
      if (tail->live_from - reader->begin_offset() > warm) (void)reader->SeekOffset(tail->live_from - warm);
      tail->reader = std::move(reader);
      follower->tails.push_back(std::move(tail));
    }
  }
  if (!missing.empty()) {
    const std::lock_guard lock(mutex_);
    for (Topic* topic : missing) {
      follower->settled.insert(topic);
      SetLiveWhenSettled(topic, now_ns);
    }
    SendDirty(now_ns);
  }
  follower->all_there = all_there && missing.empty();
  return follower->all_there;
}

// Called under the lock.
void Server::SetLiveWhenSettled(Topic* topic, std::uint64_t now_ns) {
  const bool settled = std::all_of(followers_.begin(), followers_.end(), [&](const auto& each) { return each->settled.contains(topic); });
  if (settled) hub_.SetLive(topic, now_ns);
}

// True: there may be more. Called under the lock.
bool Server::ReadTail(Follower* follower, Tail* tail, std::uint64_t now_ns, std::size_t* budget) {
  if (now_ns < tail->retry_ns) return false;
  while (*budget > 0) {
    if (!tail->pending) {
      const journal::Status status = tail->reader->Next(&tail->message);
      if (status == journal::Status::kSkipped || status == journal::Status::kExpired) {
        const auto& skip = tail->reader->skip();
        if (tail->live || skip.to_offset > tail->live_from) hub_.OnHole(tail->topic, tail->partition, skip.from_offset, skip.to_offset);
        continue;
      }
      if (status == journal::Status::kPending) return false;
      if (status != journal::Status::kOk) {
        if (status != journal::Status::kEnd) tail->retry_ns = now_ns + 100'000'000;
        tail->live = true;
        return false;
      }
      tail->retry_ns = 0;
      if (tail->message.kind != journal::Kind::kBatch) continue;
      const wire::BatchError error = wire::BatchView::Parse(tail->message.value, &tail->batch);
      if (error != wire::BatchError::kNone) {
        tail->topic->CountBad(error);
        continue;
      }
      tail->pending = true;
      tail->give_up_ns = 0;
      tail->seen_version = instruments_version_ - 1;
    }
    const std::uint32_t version = instruments_version_;
    if (tail->seen_version != version) {
      tail->seen_version = version;
      const std::uint32_t unknown = tail->topic->UnknownInstrument(tail->batch);
      if (unknown != 0 && tail->give_up_ns == 0 && options_.instrument_wait_ms > 0) {
        tail->give_up_ns = now_ns + options_.instrument_wait_ms * 1'000'000ull;
        if (options_.on_unknown_instrument) options_.on_unknown_instrument(unknown);
      }
      if (unknown == 0) tail->give_up_ns = 0;
    }
    if (tail->give_up_ns != 0 && now_ns < tail->give_up_ns) return false;
    tail->pending = false;
    const auto& message = tail->message;
    hub_.Take(tail->topic, static_cast<std::uint16_t>(tail->partition), message.offset, message.value, tail->batch);
    *budget -= std::min(*budget, message.value.size());
    if (!tail->live) {
      tail->live = message.offset + message.count >= tail->live_from;
      continue;
    }
    const wire::BatchView& batch = tail->batch;
    if (follower->stamps.size() < 4096 && batch.size() > 0 && HasStream(batch.info().type)) {
      follower->stamps.push_back({batch.info().ts_append, batch[batch.size() - 1]->ts_recv});
    }
  }
  return true;
}

bool Server::Pump(Follower* follower, std::uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  bool more = false;
  for (const auto& tail : follower->tails) {
    std::size_t budget = tail->live ? kBurstBytes : kWarmBurstBytes;
    more = ReadTail(follower, tail.get(), now_ns, &budget) || more;
  }
  hub_.EndBurst();
  for (const auto& topic : hub_.topics()) {
    if (topic->live) continue;
    bool any = false;
    bool live = true;
    for (const auto& tail : follower->tails) {
      if (tail->topic != topic.get()) continue;
      any = true;
      live = live && tail->live;
    }
    if (any && live) follower->settled.insert(topic.get());
    SetLiveWhenSettled(topic.get(), now_ns);
  }
  SendDirty(now_ns);
  NoteLatency(follower);
  return more;
}

void Server::NoteLatency(Follower* follower) {
  if (follower->stamps.empty()) return;
  const std::uint64_t now = WallNs();
  for (const Follower::Stamp& stamp : follower->stamps) {
    append_to_send_.Add(now > stamp.ts_append ? now - stamp.ts_append : 0);
    receive_to_send_.Add(now > stamp.ts_recv ? now - stamp.ts_recv : 0);
  }
  follower->stamps.clear();
}

void Server::Follow(Follower* follower) {
  while (!stopping_) {
    const std::uint32_t ticket = follower->waiter->Ticket();
    const std::uint64_t now = NowNs();
    const bool all_there = OpenTails(follower, now);
    const bool more = Pump(follower, now);
    while (waiting_for_lock_ > 0) std::this_thread::yield();
    if (more || stopping_) continue;
    const auto& tails = follower->tails;
    const bool waits = std::any_of(tails.begin(), tails.end(), [](const auto& tail) { return tail->pending || tail->retry_ns != 0; });
    (void)follower->waiter->Wait(ticket, waits ? 10 : all_there ? 1000 : 250);
  }
}

}  // namespace tw::fanout
