#include "ring/feed_ring.h"

#include <algorithm>
#include <utility>

namespace tw::ring {
namespace {

constexpr std::size_t kAnnounceEvery = 128;  // Records of one long frame or chunk before the batcher is told.
constexpr std::uint64_t kRecheckNs = 100'000'000;

constexpr bool Conflates(RecordType type) {
  return type == RecordType::kQuote || type == RecordType::kTicker || type == RecordType::kIndex || type == RecordType::kDepth5 ||
         type == RecordType::kDepth10 || type == RecordType::kDepth20;
}

}  // namespace

FeedRing::FeedRing(const FeedRingOptions& options, std::shared_ptr<WakeFlag> consumer)
    : options_(options), ring_(options.slots), consumer_(std::move(consumer)) {}

bool FeedRing::TryPush(const void* record, std::size_t size) {
  if (closed_.load(std::memory_order_relaxed) || !ring_.TryPush(record, size)) return false;
  pushed_.Add();
  if (++unannounced_ >= kAnnounceEvery) {
    unannounced_ = 0;
    if (ring_.depth() > depth_max_.load(std::memory_order_relaxed)) depth_max_.store(ring_.depth(), std::memory_order_relaxed);
    consumer_->Notify();
  }
  return true;
}

bool FeedRing::Push(const void* record, std::size_t size) {
  bool taken = false;
  switch (options_.policy) {
    case Policy::kBlock: taken = FlushHeld() && PushBlocking(record, size); break;
    case Policy::kDrop: taken = FlushHeld() && TryPush(record, size); break;
    case Policy::kConflate: taken = PushConflating(record, size); break;
  }
  if (!taken) refused_.Add();
  return taken;
}

bool FeedRing::PushBlocking(const void* record, std::size_t size) {
  if (TryPush(record, size)) return true;
  blocked_.Add();
  while (!closed_.load(std::memory_order_acquire)) {
    consumer_->Notify();
    want_space_.exchange(1, std::memory_order_acq_rel);
    if (TryPush(record, size)) {
      want_space_.store(0, std::memory_order_relaxed);
      return true;
    }
    FutexWait(&want_space_, 1, kRecheckNs);
  }
  return false;
}

bool FeedRing::PushConflating(const void* record, std::size_t size) {
  const auto* header = static_cast<const Header*>(record);
  if (FlushHeld() && TryPush(record, size)) return true;
  if (!Conflates(header->type)) {
    // A gap must not overtake the record of its stream that waits, and any record may pass the others'.
    if (header->type == RecordType::kGap) {
      const auto held = held_.find(StreamOf(record));
      if (held != held_.end() && held->second.waits) return false;
    }
    return TryPush(record, size);
  }
  Hold(held_[StreamOf(record)], record, size);
  return true;
}

Gap FeedRing::ConflatedGap(const Held& held) {
  const auto* newest = reinterpret_cast<const Header*>(held.record);
  Gap gap{};
  gap.header = *newest;
  gap.header.type = RecordType::kGap;
  gap.header.flags = kFlagEventTimeOurs;
  gap.header.seq = static_cast<std::uint32_t>(held.first_missing);
  gap.header.epoch = static_cast<std::uint32_t>(held.first_missing >> 32);
  gap.count = held.count;
  gap.ts_from = held.ts_first;  // The record before it has gone; the hole begins at the latest here.
  gap.of_type = newest->type;
  gap.cause = GapCause::kConflated;
  gap.version = 1;
  return gap;
}

void FeedRing::Hold(Held& held, const void* record, std::size_t size) {
  auto* newest = reinterpret_cast<Header*>(held.record);
  if (held.waits) {
    conflated_.Add();
    if (held.count++ == 0) {
      held.first_missing = newest->position();
      held.ts_first = newest->ts_event;
    }
    if (newest->epoch != static_cast<const Header*>(record)->epoch) {
      held.older.push_back(ConflatedGap(held));
      held.count = 0;
    }
  } else {
    held.waits = true;
    held.count = 0;
    waiting_.push_back(&held);
  }
  std::memcpy(held.record, record, size);
}

bool FeedRing::FlushHeld() {
  if (waiting_.empty()) [[likely]]
    return true;
  std::size_t done = 0;
  while (done < waiting_.size() && FlushHeld(*waiting_[done])) ++done;
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(done));
  return waiting_.empty();
}

bool FeedRing::FlushHeld(Held& held) {
  auto* newest = reinterpret_cast<Header*>(held.record);
  const auto push = [this](const void* record, std::size_t size) {
    return options_.policy == Policy::kBlock ? PushBlocking(record, size) : TryPush(record, size);
  };
  while (!held.older.empty()) {
    if (!push(&held.older.front(), sizeof(Gap))) return false;
    held.older.erase(held.older.begin());
    newest->flags |= kFlagGapBefore;
  }
  if (held.count != 0) {
    const Gap gap = ConflatedGap(held);
    if (!push(&gap, sizeof gap)) return false;
    held.count = 0;
    newest->flags |= kFlagGapBefore;
  }
  if (!push(held.record, RecordSize(newest->type))) return false;
  held.waits = false;
  return true;
}

void FeedRing::Flush() {
  FlushHeld();
  const std::size_t depth = ring_.depth();
  if (depth > depth_max_.load(std::memory_order_relaxed)) depth_max_.store(depth, std::memory_order_relaxed);
  unannounced_ = 0;
  if (depth != 0) consumer_->Notify();
}

void FeedRing::List(std::uint32_t instrument_id) {
  const std::lock_guard lock(listed_mutex_);
  listed_.push_back(instrument_id);
  listed_count_.store(listed_.size(), std::memory_order_release);
}

std::vector<std::uint32_t> FeedRing::TakeListed() {
  const std::lock_guard lock(listed_mutex_);
  listed_count_.store(0, std::memory_order_relaxed);
  return std::exchange(listed_, {});
}

void FeedRing::Close() {
  closed_.store(true, std::memory_order_release);
  want_space_.exchange(0, std::memory_order_acq_rel);
  FutexWake(&want_space_);
}

}  // namespace tw::ring
