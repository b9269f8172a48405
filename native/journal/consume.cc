#include "journal/consume.h"

#include <time.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "journal/waiting.h"
#include "model/stream.h"
#include "wire/batch.h"

namespace tw::journal {
namespace {

constexpr std::uint32_t kCellsPerPartition = 2;
constexpr std::uint32_t kMessagesPerCell = 512;
constexpr std::uint32_t kBeatsPerGrowth = 5;  // A topic's file is read to see whether it has more partitions.

std::uint64_t NowNs() {
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000ull + static_cast<std::uint64_t>(now.tv_nsec);
}

constexpr std::size_t Aligned(std::size_t size) { return (size + 7) & ~std::size_t{7}; }

// Does the message hold a record at or after (epoch, seq)? An opaque message has none and is passed over while seeking.
bool Reaches(const MessageView& view, std::uint64_t position) {
  wire::BatchView batch;
  if (view.kind != Kind::kBatch || wire::BatchView::Parse(view.value, &batch) != wire::BatchError::kNone) return false;
  for (std::uint32_t i = 0; i < batch.size(); ++i) {
    if (HasStream(batch[i]->type) && batch[i]->position() >= position) return true;
  }
  return false;
}

}  // namespace

struct ConsumeLoop::Lane {
  Assignment assignment;
  std::unique_ptr<Reader> reader;
  std::uint64_t limit = ~0ull;  // First offset not wanted.
  std::uint64_t reach = 0;      // Seeking by (epoch, seq): pass over messages before it.
  std::uint32_t in_flight = 0;  // Cells.
  bool revoked = false;
  bool done = false;
  bool held = false;  // `view` was read and has not been handed over.
  MessageView view;
  std::vector<std::uint32_t> cells;
};

ConsumeLoop::ConsumeLoop(std::shared_ptr<Log> log, ConsumeOptions options)
    : log_(std::move(log)),
      options_(std::move(options)),
      cells_(static_cast<std::uint32_t>(options_.slab.size() / options_.cell_bytes)),
      waiter_(log_->OpenWaiter()) {
  for (std::uint32_t cell = cells_; cell-- > 0;) free_.push_back(cell);
}

ConsumeLoop::~ConsumeLoop() { Stop(); }

void ConsumeLoop::Start() {
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
}

void ConsumeLoop::Stop() {
  stopping_.store(true);
  Poke();
  if (thread_.joinable()) thread_.join();
}

void ConsumeLoop::Poke() {
  if (waiter_ != nullptr) waiter_->Interrupt();
}

std::size_t ConsumeLoop::Drain(std::span<ConsumeEvent> out) {
  const std::lock_guard lock(mutex_);
  std::size_t taken = 0;
  while (taken < out.size() && !ready_.empty()) {
    out[taken++] = std::move(ready_.front());
    ready_.pop_front();
  }
  if (ready_.empty()) woken_ = false;
  woken_ns_ = NowNs();
  return taken;
}

void ConsumeLoop::FreeCell(std::uint32_t cell) {
  if (cell >= cells_) return;
  {
    const std::lock_guard lock(mutex_);
    freed_.push_back(cell);
  }
  // At the log's end the thread has no use for the cell, and a poke wakes every follower of the log.
  if (blocked_.load()) Poke();
}

void ConsumeLoop::Released(const Assignment& assignment) {
  {
    const std::lock_guard lock(mutex_);
    released_.push_back(assignment);
  }
  Poke();
}

Status ConsumeLoop::Commit(const Assignment& assignment, std::uint64_t offset) {
  return options_.group == nullptr ? Status::kInvalid : options_.group->Commit(assignment, offset);
}

Status ConsumeLoop::Check(const Assignment& assignment) const {
  return options_.group == nullptr ? Status::kInvalid : options_.group->Check(assignment);
}

std::uint64_t ConsumeLoop::EndOffset(std::uint32_t topic, std::uint32_t partition) const {
  PartitionInfo info;
  if (topic >= options_.topics.size() || log_->Describe(options_.topics[topic], partition, &info) != Status::kOk) return 0;
  return info.end_offset;
}

ConsumeEvent ConsumeLoop::EventOf(const Lane& lane, ConsumeEvent::Kind kind) const {
  ConsumeEvent event;
  event.kind = kind;
  event.topic = lane.assignment.topic;
  event.partition = lane.assignment.partition;
  event.generation = lane.assignment.generation;
  return event;
}

bool ConsumeLoop::OwnerHangs(std::uint64_t now_ns) const {
  const std::lock_guard lock(mutex_);
  return woken_ && now_ns - woken_ns_ > options_.hung_ms * 1'000'000ull;
}

void ConsumeLoop::Push(ConsumeEvent event) { pending_.push_back(std::move(event)); }

void ConsumeLoop::Flush() {
  if (pending_.empty()) return;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    for (ConsumeEvent& event : pending_) ready_.push_back(std::move(event));
    wake = !woken_;
    if (wake) woken_ns_ = NowNs();
    woken_ = true;
  }
  pending_.clear();
  if (wake && options_.wake) options_.wake();
}

bool ConsumeLoop::Open(Lane lane, const Place& from) {
  const std::string& topic = options_.topics[lane.assignment.topic];
  Status status = Status::kOk;
  if (lane.reader == nullptr) lane.reader = log_->OpenReader(topic, lane.assignment.partition, &status);
  if (lane.reader != nullptr) {
    switch (from.kind) {
      case Place::Kind::kBegin: break;
      case Place::Kind::kEnd: status = lane.reader->SeekOffset(lane.reader->end_offset()); break;
      case Place::Kind::kOffset:
        // A commit behind the end cannot be true (another directory, a flipped bit). Repeating is allowed, skipping is not.
        if (options_.group == nullptr || from.value <= lane.reader->end_offset()) status = lane.reader->SeekOffset(from.value);
        break;
      case Place::Kind::kTime: status = lane.reader->SeekTime(from.value); break;
      case Place::Kind::kPosition:
        status = lane.reader->SeekPosition(from.value);
        lane.reach = from.value;
        break;
    }
  }
  if (options_.group != nullptr && (status == Status::kIoError || status == Status::kBusy || status == Status::kPending)) return false;
  if (lane.reader == nullptr || (status != Status::kOk && status != Status::kEnd && status != Status::kExpired)) {
    ConsumeEvent event = EventOf(lane, ConsumeEvent::Kind::kFailed);
    event.status = lane.reader == nullptr && status == Status::kOk ? Status::kIoError : status;
    Push(std::move(event));
    lane.done = true;
  } else {
    ConsumeEvent event = EventOf(lane, ConsumeEvent::Kind::kAssigned);
    event.offset = lane.reader->position();
    Push(std::move(event));
  }
  lanes_.push_back(std::make_unique<Lane>(std::move(lane)));
  return true;
}

// Reads until `view` holds a message that is wanted. False: nothing for now, or the lane is done.
bool ConsumeLoop::NextView(Lane& lane) {
  while (!lane.held && !lane.done) {
    if (lane.reader->position() >= lane.limit) {
      lane.done = true;
      Push(EventOf(lane, ConsumeEvent::Kind::kEnd));
      return false;
    }
    const Status status = lane.reader->Next(&lane.view);
    if (status == Status::kEnd || status == Status::kPending) return false;
    if (status == Status::kSkipped || status == Status::kExpired) {
      ConsumeEvent event =
          EventOf(lane, status == Status::kSkipped ? ConsumeEvent::Kind::kSkipped : ConsumeEvent::Kind::kExpired);
      event.offset = lane.reader->skip().from_offset;
      event.to_offset = lane.reader->skip().to_offset;
      Push(std::move(event));
      continue;
    }
    if (status != Status::kOk) {
      ConsumeEvent event = EventOf(lane, ConsumeEvent::Kind::kFailed);
      event.status = status;
      Push(std::move(event));
      lane.done = true;
      return false;
    }
    if (lane.view.offset >= lane.limit) continue;  // The check above ends the lane.
    if (lane.reach != 0 && !Reaches(lane.view, lane.reach)) continue;
    lane.reach = 0;
    lane.held = true;
  }
  return lane.held;
}

// One cell of messages. True: something was handed over.
bool ConsumeLoop::Fill(Lane& lane) {
  if (lane.done || lane.revoked) return false;
  if (lane.in_flight >= kCellsPerPartition) {
    blocked_.store(true);
    return false;
  }
  if (!NextView(lane)) return false;
  std::uint32_t cell = 0;
  {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) {
      blocked_.store(true);
      return false;
    }
    cell = free_.back();
    free_.pop_back();
  }
  std::size_t last = 0;  // In pending_: the newest message of this cell.
  std::uint32_t messages = 0;
  const std::size_t base = static_cast<std::size_t>(cell) * options_.cell_bytes;
  std::size_t used = 0;
  while (messages < kMessagesPerCell && NextView(lane)) {
    const MessageView& view = lane.view;
    const std::size_t size = Aligned(view.value.size() + view.key.size());
    ConsumeEvent event = EventOf(lane, ConsumeEvent::Kind::kMessage);
    event.message_kind = view.kind;
    event.count = view.count;
    event.offset = view.offset;
    event.cell = cell;
    event.value_size = static_cast<std::uint32_t>(view.value.size());
    event.key_size = static_cast<std::uint32_t>(view.key.size());
    std::uint8_t* target = options_.slab.data() + base + used;
    if (size > options_.cell_bytes) {
      if (messages != 0) break;  // Alone in its cell, so that few large ones are in memory.
      event.large = std::make_shared<std::vector<std::uint64_t>>(size / 8);
      target = reinterpret_cast<std::uint8_t*>(event.large->data());
    } else if (used + size > options_.cell_bytes) {
      break;
    }
    event.position = base + used;
    if (!view.value.empty()) std::memcpy(target, view.value.data(), view.value.size());
    if (!view.key.empty()) std::memcpy(target + view.value.size(), view.key.data(), view.key.size());
    lane.held = false;
    const bool large = event.large != nullptr;
    last = pending_.size();
    Push(std::move(event));
    ++messages;
    if (large) break;
    used += size;
  }
  pending_[last].frees_cell = true;
  ++lane.in_flight;
  lane.cells.push_back(cell);
  Flush();
  return true;
}

// Assigned partitions that are not open yet. One whose brokers do not answer now is tried again at the next beat: the others go on.
void ConsumeLoop::OpenWaiting() {
  for (const auto& [assignment, from] : std::exchange(waiting_, decltype(waiting_){})) {
    if (!Open({.assignment = assignment}, from)) {
      waiting_.emplace_back(assignment, from);
      continue;
    }
    const Lane& opened = *lanes_.back();
    // The start is committed at once, so that a restart before the first commit begins at the same place.
    const bool fresh = !options_.group->Committed(assignment.topic, assignment.partition).has_value();
    if (fresh && opened.reader != nullptr && opened.reach == 0) options_.group->Commit(assignment, opened.reader->position());
  }
}

void ConsumeLoop::Beat() {
  Group::Changes changes;
  options_.group->Tick(&changes);
  const auto find = [&](const Assignment& assignment) {
    return std::find_if(lanes_.begin(), lanes_.end(), [&](const auto& lane) { return lane->assignment == assignment; });
  };
  for (const Assignment& assignment : changes.lost) {
    std::erase_if(waiting_, [&](const auto& each) { return each.first == assignment; });
    const auto at = find(assignment);
    if (at == lanes_.end()) continue;
    Push(EventOf(**at, ConsumeEvent::Kind::kLost));
    lanes_.erase(at);
  }
  for (const Assignment& assignment : changes.revoked) {
    const auto at = find(assignment);
    if (at == lanes_.end()) {
      // Nobody has been told of it.
      if (std::erase_if(waiting_, [&](const auto& each) { return each.first == assignment; }) != 0) options_.group->Release(assignment);
      continue;
    }
    (*at)->revoked = true;
    Push(EventOf(**at, ConsumeEvent::Kind::kRevoked));
  }
  for (const Assignment& assignment : changes.assigned) {
    const auto committed = options_.group->Committed(assignment.topic, assignment.partition);
    Place from = committed.has_value() ? Place{Place::Kind::kOffset, *committed} : options_.from;
    waiting_.emplace_back(assignment, from);
  }
  OpenWaiting();
  if (beats_++ % kBeatsPerGrowth != 0) return;
  for (std::uint32_t topic = 0; topic < options_.topics.size(); ++topic) {
    TopicOptions found;
    if (log_->FindTopic(options_.topics[topic], &found)) options_.group->Grow(topic, found.partitions);
  }
}

void ConsumeLoop::Run() {
  for (const ConsumeOptions::Range& range : options_.ranges) {
    Lane lane;
    lane.assignment = {.topic = range.topic, .partition = range.partition, .generation = 0};
    Status status = Status::kOk;
    if (!range.follow) {
      auto probe = log_->OpenReader(options_.topics[range.topic], range.partition, &status);
      if (probe != nullptr) {
        lane.limit = probe->end_offset();
        const bool moves = range.to.kind == Place::Kind::kTime || range.to.kind == Place::Kind::kPosition;
        switch (range.to.kind) {
          case Place::Kind::kBegin: lane.limit = 0; break;
          case Place::Kind::kEnd: break;
          case Place::Kind::kOffset: lane.limit = std::min(lane.limit, range.to.value); break;
          case Place::Kind::kTime:
            if (probe->SeekTime(range.to.value) == Status::kOk) lane.limit = std::min(lane.limit, probe->position());
            break;
          case Place::Kind::kPosition: {
            Status seek = probe->SeekPosition(range.to.value);
            MessageView view;
            while (seek == Status::kOk && probe->position() < lane.limit) {
              const Status next = NextWithin(probe.get(), &view);
              if (next == Status::kSkipped || next == Status::kExpired) continue;
              if (next != Status::kOk) break;
              if (Reaches(view, range.to.value)) lane.limit = std::min(lane.limit, view.offset);
            }
            break;
          }
        }
        // On a network it costs a question to open one.
        if (!moves) lane.reader = std::move(probe);
      }
    }
    Open(std::move(lane), range.from);
  }
  while (!stopping_.load()) {
    const std::uint32_t ticket = waiter_->Ticket();
    std::vector<Assignment> released;
    {
      const std::lock_guard lock(mutex_);
      for (const std::uint32_t cell : freed_) {
        free_.push_back(cell);
        for (auto& lane : lanes_) {
          if (std::erase(lane->cells, cell) != 0) --lane->in_flight;
        }
      }
      freed_.clear();
      released.swap(released_);
    }
    for (const Assignment& assignment : released) {
      options_.group->Release(assignment);
      std::erase_if(lanes_, [&](const auto& lane) { return lane->assignment == assignment; });
    }
    const std::uint64_t now = NowNs();
    if (options_.group != nullptr && now >= next_beat_ns_) {
      // An owner that takes nothing any more is as good as dead: its partitions go to who works.
      if (!OwnerHangs(now)) Beat();
      next_beat_ns_ = now + options_.heartbeat_ms * 1'000'000ull;
    }
    bool progress = false;
    blocked_.store(false);
    for (auto& lane : lanes_) progress = Fill(*lane) || progress;
    Flush();
    if (progress || !released.empty()) continue;
    if (blocked_.load()) {
      const std::lock_guard lock(mutex_);
      if (!freed_.empty()) continue;  // Given back before it could see that we wait for it.
    }
    waiter_->Wait(ticket, options_.group != nullptr ? std::max(options_.heartbeat_ms / 2, 1u) : 1000u);
  }
  if (options_.group != nullptr) options_.group->Leave();
  lanes_.clear();
}

}  // namespace tw::journal
