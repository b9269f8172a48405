#include "journal/reader.h"

#include <algorithm>

#include "journal/frame.h"
#include "journal/index.h"

namespace tw::journal {
namespace {

constexpr std::size_t kSegmentsHeld = 256;  // Mappings kept for views handed out.

class PartitionReader : public Reader {
 public:
  explicit PartitionReader(std::shared_ptr<Partition> partition)
      : partition_(std::move(partition)), page_(*partition_->page()), position_(begin_offset()) {}

  Status Next(MessageView* out) override;
  const Skip& skip() const override { return skip_; }
  std::uint64_t position() const override { return position_; }
  Status SeekOffset(std::uint64_t offset) override;
  Status SeekTime(std::uint64_t ts_recv) override;
  Status SeekPosition(std::uint64_t position) override;
  std::uint64_t begin_offset() const override { return page_.begin_offset.load(std::memory_order_acquire); }
  std::uint64_t end_offset() const override { return page_.end_offset.load(std::memory_order_acquire); }

 private:
  Status Locate();
  bool Advance(Status* status);
  Status StepOver(const Readable& readable);
  void Enter(std::shared_ptr<Segment> segment, std::uint64_t at, std::uint64_t expected);
  template <class Skippable, class Start, class Wanted>
  Status Seek(Skippable skippable, Start start, Wanted wanted);

  std::shared_ptr<Partition> partition_;
  const PartitionPage& page_;
  std::uint64_t position_ = 0;
  std::uint64_t expected_ = 0;  // The lowest offset the next frame here may have.
  std::uint64_t at_ = 0;
  std::shared_ptr<Segment> segment_;
  std::deque<std::shared_ptr<Segment>> held_;
  Skip skip_;
};

void PartitionReader::Enter(std::shared_ptr<Segment> segment, std::uint64_t at, std::uint64_t expected) {
  if (segment_ != segment && (held_.empty() || held_.back() != segment)) {
    held_.push_back(segment);
    if (held_.size() > kSegmentsHeld) held_.pop_front();
  }
  segment_ = std::move(segment);
  at_ = at;
  expected_ = expected;
}

// Finds the segment of position_. kEnd: nothing there yet. kExpired: it was deleted.
Status PartitionReader::Locate() {
  for (int attempt = 0; attempt < 10; ++attempt) {
    const std::vector<Partition::Entry> entries = attempt == 0 ? partition_->List() : partition_->Reload(false);
    const std::uint64_t first = entries.empty() ? std::max(position_, begin_offset()) : entries.front().identity.base_offset;
    if (position_ < first) {
      skip_ = {position_, first, partition_->context().directory, 0};
      position_ = first;
      return Status::kExpired;
    }
    if (entries.empty()) return Status::kEnd;
    const auto after = std::upper_bound(entries.begin(), entries.end(), position_,
                                        [](std::uint64_t offset, const Partition::Entry& e) { return offset < e.identity.base_offset; });
    Status status = Status::kOk;
    auto segment = partition_->Map(*std::prev(after), &status);
    if (segment == nullptr) {
      if (status == Status::kNotFound) continue;
      return status;
    }
    const Readable readable = ReadableOf(*segment, page_.end_position.load(std::memory_order_acquire));
    const SegmentIndex::Entry start = segment->index().ForOffset(*segment, readable.limit, position_);
    Enter(std::move(segment), start.at, start.offset);
    return Status::kOk;
  }
  return Status::kIoError;
}

// To the segment behind a closed one. False: *status says why there is none to go on in.
bool PartitionReader::Advance(Status* status) {
  const Readable readable = ReadableOf(*segment_, page_.end_position.load(std::memory_order_acquire));
  const std::uint64_t behind = segment_->end_position();
  if (readable.sealed) position_ = std::max(position_, readable.seal.next_offset);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const std::vector<Partition::Entry> entries = attempt == 0 ? partition_->List() : partition_->Reload(false);
    const auto next = std::find_if(entries.begin(), entries.end(), [&](const Partition::Entry& e) { return e.end_position() > behind; });
    if (next == entries.end()) {
      if (page_.end_position.load(std::memory_order_acquire) <= behind) {
        *status = Status::kEnd;
        return false;
      }
      continue;
    }
    const std::uint64_t base = next->identity.base_offset;
    if (base > position_) {
      // A segment that retention took while this reader was on the one before it, or that a damaged one did not account for.
      skip_ = {position_, base, segment_->path(), at_};
      *status = base <= begin_offset() ? Status::kExpired : Status::kSkipped;
      if (*status == Status::kSkipped) partition_->damaged_frames.fetch_add(1, std::memory_order_relaxed);
    }
    Status mapped = Status::kOk;
    auto segment = partition_->Map(*next, &mapped);
    if (segment == nullptr) {
      *status = mapped;
      if (mapped == Status::kNotFound) continue;
      return false;
    }
    if (segment->start_position() < behind) {
      // The segment read to its end was compacted meanwhile, into one that holds later ones too.
      const Readable whole = ReadableOf(*segment, page_.end_position.load(std::memory_order_acquire));
      const SegmentIndex::Entry start = segment->index().ForOffset(*segment, whole.limit, position_);
      Enter(std::move(segment), start.at, start.offset);
      return true;
    }
    Enter(std::move(segment), kSegmentHeaderBytes, base);
    if (base <= position_) return true;
    position_ = base;
    return false;
  }
  *status = Status::kIoError;
  return false;
}

// At a frame that is not good: to the next good one, or to the end of what can be read.
Status PartitionReader::StepOver(const Readable& readable) {
  std::uint64_t end_position = 0;
  std::uint64_t end_offset = 0;
  partition_->End(&end_position, &end_offset);
  const std::uint64_t highest = readable.sealed ? readable.seal.next_offset : end_offset;
  const std::uint64_t damaged_at = at_;
  std::uint64_t at = readable.limit;
  std::uint64_t to = highest;
  FrameView frame;
  if (FindFrame(segment_->data(), at_ + 8, readable.limit, expected_, readable.closed ? highest : ~0ull, &at, &frame)) {
    to = frame.message.offset;
  } else if (readable.closed && !readable.sealed) {
    // The end of a segment whose seal was lost: the next segment's first offset tells whether something is missing.
    at_ = readable.limit;
    return Status::kOk;
  }
  at_ = at;
  expected_ = std::max(expected_, to);
  if (expected_ <= position_) return Status::kOk;  // Before the position asked for: no loss of this reader's.
  skip_ = {position_, expected_, segment_->path(), damaged_at};
  position_ = expected_;
  partition_->damaged_frames.fetch_add(1, std::memory_order_relaxed);
  return Status::kSkipped;
}

Status PartitionReader::Next(MessageView* out) {
  for (;;) {
    if (segment_ == nullptr) {
      const Status located = Locate();
      if (located != Status::kOk) return located;
    }
    const Readable readable = ReadableOf(*segment_, page_.end_position.load(std::memory_order_acquire));
    while (at_ < readable.limit) {
      FrameView frame;
      if (!ReadFrame(segment_->data() + at_, readable.limit - at_, &frame) || frame.message.offset < expected_) {
        const Status status = StepOver(readable);
        if (status != Status::kOk) return status;
        continue;
      }
      at_ += frame.bytes;
      expected_ = frame.next_offset();
      if (expected_ <= position_) continue;
      position_ = expected_;
      *out = frame.message;
      return Status::kOk;
    }
    if (!readable.closed) return Status::kEnd;
    Status status = Status::kOk;
    if (!Advance(&status)) return status;
  }
}

Status PartitionReader::SeekOffset(std::uint64_t offset) {
  if (offset > end_offset()) return Status::kInvalid;
  position_ = offset;
  segment_ = nullptr;
  return Status::kOk;
}

template <class Skippable, class Start, class Wanted>
Status PartitionReader::Seek(Skippable skippable, Start start, Wanted wanted) {
  std::uint64_t end_position = 0;
  std::uint64_t end_offset = 0;
  partition_->End(&end_position, &end_offset);
  for (const Partition::Entry& entry : partition_->List()) {
    Status status = Status::kOk;
    auto segment = partition_->Map(entry, &status);
    if (segment == nullptr) continue;  // Deleted meanwhile: the next one is the first there is.
    const Readable readable = ReadableOf(*segment, end_position);
    if (readable.sealed && skippable(readable.seal)) continue;
    const SegmentIndex::Entry from = start(*segment, readable.limit);
    std::uint64_t at = from.at;
    std::uint64_t expected = from.offset;
    while (at + kFrameHeaderBytes <= readable.limit) {
      FrameView frame;
      if (!ReadFrame(segment->data() + at, readable.limit - at, &frame) || frame.message.offset < expected) {
        if (!FindFrame(segment->data(), at + 8, readable.limit, expected, ~0ull, &at, &frame)) break;
      }
      if (wanted(*frame.header)) {
        position_ = frame.message.offset;
        Enter(std::move(segment), at, frame.message.offset);
        return Status::kOk;
      }
      at += frame.bytes;
      expected = frame.next_offset();
    }
  }
  position_ = end_offset;
  segment_ = nullptr;
  return Status::kOk;
}

Status PartitionReader::SeekTime(std::uint64_t ts_recv) {
  return Seek([&](const Seal& seal) { return seal.ts_recv_max < ts_recv; },
              [&](Segment& segment, std::uint64_t limit) { return segment.index().ForTime(segment, limit, ts_recv); },
              [&](const FrameHeader& header) { return header.ts_recv_max >= ts_recv; });
}

Status PartitionReader::SeekPosition(std::uint64_t position) {
  return Seek([&](const Seal& seal) { return seal.position_max < position; },
              [&](Segment& segment, std::uint64_t limit) { return segment.index().ForPosition(segment, limit, position); },
              [&](const FrameHeader& header) { return header.position_max >= position; });
}

}  // namespace

std::unique_ptr<Reader> MakeReader(std::shared_ptr<Partition> partition) { return std::make_unique<PartitionReader>(std::move(partition)); }

}  // namespace tw::journal
