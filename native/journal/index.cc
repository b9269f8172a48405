#include "journal/index.h"

#include <algorithm>

#include "journal/frame.h"
#include "journal/segment.h"

namespace tw::journal {
namespace {

constexpr std::uint64_t kEvery = 16 << 10;  // Bytes between entries.

}  // namespace

void SegmentIndex::Extend(const Segment& segment, std::uint64_t limit) {
  if (entries_.empty()) {
    tail_ = {.at = kSegmentHeaderBytes, .offset = segment.base_offset(), .ts_recv_max = 0, .position_max = 0, .ts_recv_min = ~0ull};
    entries_.push_back(tail_);
  }
  limit = std::min(limit, segment.size());
  while (tail_.at + kFrameHeaderBytes <= limit) {
    FrameView frame;
    std::uint64_t at = tail_.at;
    if (!ReadFrameUnchecked(segment.data() + at, limit - at, &frame) || frame.message.offset < tail_.offset) {
      // Damage or the end: what cannot be read has no maxima. Only a good CRC brings the walk back.
      if (!FindFrame(segment.data(), at + 8, limit, tail_.offset, ~0ull, &at, &frame)) return;
    }
    tail_.at = at + frame.bytes;
    tail_.offset = frame.next_offset();
    tail_.ts_recv_max = std::max(tail_.ts_recv_max, frame.header->ts_recv_max);
    tail_.position_max = std::max(tail_.position_max, frame.header->position_max);
    tail_.ts_recv_min = std::min(tail_.ts_recv_min, frame.header->ts_recv);
    if (tail_.at - entries_.back().at >= kEvery) entries_.push_back(tail_);
  }
}

template <class Before>
SegmentIndex::Entry SegmentIndex::Last(const Segment& segment, std::uint64_t limit, Before before) {
  const std::lock_guard lock(mutex_);
  Extend(segment, limit);
  const auto after = std::partition_point(entries_.begin(), entries_.end(), before);
  return after == entries_.begin() ? entries_.front() : *std::prev(after);
}

SegmentIndex::Entry SegmentIndex::ForOffset(const Segment& segment, std::uint64_t limit, std::uint64_t offset) {
  return Last(segment, limit, [&](const Entry& e) { return e.offset <= offset; });
}
SegmentIndex::Entry SegmentIndex::ForTime(const Segment& segment, std::uint64_t limit, std::uint64_t ts_recv) {
  return Last(segment, limit, [&](const Entry& e) { return e.ts_recv_max < ts_recv; });
}
SegmentIndex::Entry SegmentIndex::ForPosition(const Segment& segment, std::uint64_t limit, std::uint64_t position) {
  return Last(segment, limit, [&](const Entry& e) { return e.position_max < position; });
}

SegmentIndex::Entry SegmentIndex::Totals(const Segment& segment, std::uint64_t limit) {
  const std::lock_guard lock(mutex_);
  Extend(segment, limit);
  return tail_;
}

}  // namespace tw::journal
