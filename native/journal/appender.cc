#include "journal/appender.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "journal/frame.h"

namespace tw::journal {
namespace {

class PartitionAppender : public Appender {
 public:
  PartitionAppender(std::shared_ptr<Partition> partition, Durability durability)
      : partition_(std::move(partition)), page_(*partition_->page()), durability_(durability), options_(partition_->context().options()) {}
  Status Open() { return lock_.Open(partition_->LockPath()); }

  AppendResult Append(const Message& message) override { return Append(std::span<const Message>(&message, 1)); }
  AppendResult Append(std::span<const Message> messages) override;
  Status Sync() override { return partition_->SyncDirty(); }

 private:
  Status MakeRoom(std::uint64_t bytes, std::uint64_t* position, std::uint64_t offset);
  Status Roll(std::uint64_t bytes, std::uint64_t* position, std::uint64_t offset);
  void ScrubDeadWriter(std::uint64_t position);
  void WatchRate(std::uint64_t position);
  Status Write(std::span<const Message> messages, std::uint64_t at, std::uint64_t offset);

  std::shared_ptr<Partition> partition_;
  PartitionPage& page_;
  Durability durability_;
  TopicOptions options_;
  PartitionLock lock_;
  std::shared_ptr<Segment> segment_;
  std::shared_ptr<Segment> file_of_;  // The segment that file_ is open for.
  Fd file_;
  std::vector<std::uint8_t> scratch_;
  bool fast_ = false;
  std::uint64_t rate_position_ = 0;
  std::uint64_t rate_ns_ = 0;
};

constexpr std::size_t kThroughFileBytes = 32 << 10;
constexpr std::uint64_t kRateBytes = 1 << 20;
constexpr std::uint64_t kFastNs = 1'000'000'000;  // A MiB in less than that is fast.

// Steers a hint to the kernel, nothing that is written: the clock is the machine's.
std::uint64_t MonotonicNs() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000ull + static_cast<std::uint64_t>(now.tv_nsec);
}

void Raise(std::atomic<std::uint64_t>& field, std::uint64_t value) {
  if (field.load(std::memory_order_relaxed) < value) field.store(value, std::memory_order_relaxed);
}

AppendResult PartitionAppender::Append(std::span<const Message> messages) {
  std::uint64_t bytes = 0;
  std::uint64_t count = 0;
  std::uint64_t ts_recv_max = 0;
  std::uint64_t ts_recv_min = ~0ull;
  std::uint64_t position_max = 0;
  for (const Message& message : messages) {
    if (message.count == 0 || (options_.compact && message.key.empty())) return {Status::kInvalid, 0};
    const std::uint64_t frame = FrameBytes(message);
    if (frame == 0) return {Status::kTooLarge, 0};
    bytes += frame;
    if (bytes > kSegmentBytesMax) return {Status::kTooLarge, 0};
    count += message.count;
    ts_recv_max = std::max({ts_recv_max, message.ts_recv, message.ts_recv_max});
    ts_recv_min = std::min(ts_recv_min, message.ts_recv);
    position_max = std::max(position_max, message.position_max);
  }
  if (messages.empty()) return {Status::kInvalid, 0};

  PartitionLockGuard guard(lock_);
  if (guard.status() != Status::kOk) return {guard.status(), 0};
  std::uint64_t position = 0;
  std::uint64_t offset = 0;
  Settle(page_, &position, &offset);
  if (count > kOffsetMax || offset > kOffsetMax - count) return {Status::kTooLarge, 0};
  const Status room = MakeRoom(bytes, &position, offset);
  if (room != Status::kOk) return {room, 0};

  if (durability_ == Durability::kProcess && position - rate_position_ >= kRateBytes) WatchRate(position);
  ScrubDeadWriter(position);
  page_.intent_position.store(position + bytes, std::memory_order_release);
  const Status written = Write(messages, position - segment_->start_position(), offset);
  if (written != Status::kOk) return {written, 0};
  const std::uint64_t next = offset + count;
  Raise(page_.segment_ts_recv_max, ts_recv_max);
  Raise(page_.segment_position_max, position_max);
  Raise(page_.ts_recv_newest, ts_recv_max);
  if (ts_recv_min < page_.segment_ts_recv_min.load(std::memory_order_relaxed)) page_.segment_ts_recv_min.store(ts_recv_min, std::memory_order_relaxed);
  partition_->MarkDirty(segment_);
  Publish(page_, position + bytes, next);
  guard.Release();
  partition_->context().notify->Bump();
  return {durability_ == Durability::kBatch ? partition_->SyncDirty() : Status::kOk, offset};
}

Status PartitionAppender::MakeRoom(std::uint64_t bytes, std::uint64_t* position, std::uint64_t offset) {
  const bool here = segment_ != nullptr && *position > segment_->start_position() && *position <= segment_->end_position();
  if (!here) {
    segment_ = nullptr;
    if (*position != 0) {
      Status status = Status::kOk;
      segment_ = partition_->AtPosition(*position, &status);
      // No segment at all is a partition whose files were all deleted: it goes on in a new one.
      if (segment_ == nullptr && status != Status::kNotFound) return status;
    }
  }
  // A dead writer's roll sealed this one and went no further.
  if (segment_ != nullptr) segment_->ClearSeal();
  if (segment_ != nullptr && *position - segment_->start_position() + bytes <= segment_->size()) return Status::kOk;
  return Roll(bytes, position, offset);
}

Status PartitionAppender::Roll(std::uint64_t bytes, std::uint64_t* position, std::uint64_t offset) {
  options_ = partition_->context().options();
  const std::uint64_t size = options_.segment_bytes;
  if (bytes + kSegmentHeaderBytes > size) return Status::kTooLarge;
  const std::uint64_t start = segment_ != nullptr ? segment_->end_position() : Align8(*position);
  for (const Partition::Entry& entry : partition_->Reload(true)) {
    if (entry.identity.start_position >= start) ::unlink(partition_->PathOf(entry.identity.base_offset).c_str());
  }
  std::shared_ptr<Segment> next;
  const Segment::Identity identity{partition_->context().log_id, offset, start, size, 0};
  const Status created = Segment::Create(partition_->PathOf(offset), identity, size, &next);
  if (created != Status::kOk) return created;
  if (segment_ != nullptr) {
    segment_->SetSeal({*position - segment_->start_position(), offset, page_.segment_ts_recv_max.load(std::memory_order_relaxed),
                       page_.segment_position_max.load(std::memory_order_relaxed), page_.segment_ts_recv_min.load(std::memory_order_relaxed)});
    partition_->MarkDirty(segment_);
  } else {
    page_.begin_offset.store(offset, std::memory_order_release);
  }
  const Status committed = next->Commit();
  if (committed != Status::kOk) return committed;
  page_.segment_ts_recv_max.store(0, std::memory_order_relaxed);
  page_.segment_position_max.store(0, std::memory_order_relaxed);
  page_.segment_ts_recv_min.store(~0ull, std::memory_order_relaxed);
  *position = start + kSegmentHeaderBytes;
  Publish(page_, *position, offset);
  page_.structure.store((page_.structure.load(std::memory_order_relaxed) | 1) + 1, std::memory_order_release);
  partition_->Remember(next);
  segment_ = std::move(next);
  if (fast_) segment_->ExpectFastWrites(true);
  return Status::kOk;
}

// Frames behind the published end, and a zero length after them, whatever stood there before.
Status PartitionAppender::Write(std::span<const Message> messages, std::uint64_t at, std::uint64_t offset) {
  bool terminated = false;
  for (const Message& message : messages) {
    const std::uint64_t bytes = FrameBytes(message);
    terminated = false;
    if (message.value.size() < kThroughFileBytes) {
      WriteFrame(message, offset, segment_->data() + at);
    } else {
      if (file_of_ != segment_) {
        file_ = Fd(::open(segment_->path().c_str(), O_WRONLY | O_CLOEXEC));
        file_of_ = segment_;
      }
      terminated = at + bytes + 8 <= segment_->size();
      if (!file_.ok() || !WriteFrameToFile(message, offset, terminated, file_.get(), at, &scratch_)) {
        const Status status = StatusOfErrno(errno);
        file_of_ = nullptr;
        return status == Status::kNotFound ? Status::kIoError : status;
      }
    }
    at += bytes;
    offset += message.count;
  }
  if (!terminated && at + 8 <= segment_->size()) std::memset(segment_->data() + at, 0, 8);
  return Status::kOk;
}

void PartitionAppender::WatchRate(std::uint64_t position) {
  const std::uint64_t now = MonotonicNs();
  const bool fast = rate_ns_ != 0 && now - rate_ns_ < kFastNs;
  if (fast != fast_) segment_->ExpectFastWrites(fast);
  fast_ = fast;
  rate_position_ = position;
  rate_ns_ = now;
}

// Bytes that a writer left behind when it died must not be taken for frames after a power loss.
void PartitionAppender::ScrubDeadWriter(std::uint64_t position) {
  const std::uint64_t intent = page_.intent_position.load(std::memory_order_acquire);
  if (intent <= position || intent > segment_->end_position()) return;
  const std::uint64_t from = position - segment_->start_position();
  const std::uint64_t to = std::min(intent - segment_->start_position(), segment_->size());
  if (to > from) std::memset(segment_->data() + from, 0, to - from);
}

}  // namespace

std::unique_ptr<Appender> MakeAppender(std::shared_ptr<Partition> partition, Durability durability, Status* status) {
  auto appender = std::make_unique<PartitionAppender>(std::move(partition), durability);
  *status = appender->Open();
  if (*status != Status::kOk) return nullptr;
  return appender;
}

}  // namespace tw::journal
