#include "journal/recovery.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "journal/frame.h"
#include "journal/index.h"
#include "journal/partition.h"

namespace tw::journal {
namespace {

// Offsets are never reused: what a lost end had given out is not known, so the next one leaves room for it.
constexpr std::uint64_t kOffsetJump = 1ull << 20;

bool AllZero(const std::uint8_t* data, std::uint64_t size) {
  return size == 0 || (data[0] == 0 && std::memcmp(data, data + 1, size - 1) == 0);
}

// Whether a whole page of the file inside [from, to) is zeros: a page that never reached the disk. `from` is where a frame
// should begin: zeros from there to the end of its page tell the same.
bool HoldsLostPage(const std::uint8_t* base, std::uint64_t from, std::uint64_t to) {
  const std::uint64_t page_end = (from / kPageBytes + 1) * kPageBytes;
  if (page_end <= to && AllZero(base + from, page_end - from)) return true;
  for (std::uint64_t at = (from + kPageBytes - 1) / kPageBytes * kPageBytes; at + kPageBytes <= to; at += kPageBytes) {
    if (AllZero(base + at, kPageBytes)) return true;
  }
  return false;
}

struct Tail {
  std::uint64_t at = kSegmentHeaderBytes;
  std::uint64_t next_offset = 0;
};

// `synced`: bytes of the segment known to be on disk; damage before that was not a power loss.
Tail ScanTail(const Segment& segment, std::uint64_t synced) {
  Tail tail;
  tail.next_offset = segment.base_offset();
  const std::uint64_t limit = segment.size() & ~7ull;
  while (tail.at + kFrameHeaderBytes <= limit) {
    FrameView frame;
    if (ReadFrame(segment.data() + tail.at, limit - tail.at, &frame) && frame.message.offset >= tail.next_offset) {
      tail.at += frame.bytes;
      tail.next_offset = frame.next_offset();
      continue;
    }
    std::uint64_t behind = 0;
    if (!FindFrame(segment.data(), tail.at + 8, limit, tail.next_offset, ~0ull, &behind, &frame)) break;
    if (behind > synced && HoldsLostPage(segment.data(), tail.at, behind)) break;
    tail.at = behind;
  }
  return tail;
}

void Scrub(const Segment& segment, std::uint64_t from) {
  while (from < segment.size()) {
    const std::uint64_t to = std::min(segment.size(), (from / kPageBytes + 1) * kPageBytes);
    if (!AllZero(segment.data() + from, to - from)) std::memset(segment.data() + from, 0, to - from);
    from = to;
  }
}

bool HasFrames(const Segment& segment) {
  std::uint64_t at = 0;
  FrameView frame;
  return FindFrame(segment.data(), kSegmentHeaderBytes, segment.size() & ~7ull, segment.base_offset(), ~0ull, &at, &frame);
}

}  // namespace

Status Recover(Partition& partition) {
  SharedPage& shared = partition.page();
  PartitionPage& page = *shared;
  const bool read_only = partition.context().read_only;
  const bool hinted = shared.Plausible();
  const std::uint64_t hint_position = hinted ? page.end_position.load() : 0;
  const std::uint64_t hint_offset = hinted ? page.end_offset.load() : 0;
  const std::uint64_t synced = hinted ? std::min(page.synced_position.load(), hint_position) : 0;

  if (!read_only) {
    for (const std::string& name : ListDirectory(partition.context().directory)) {
      if (name.ends_with(".seg.new") || name.ends_with(".compact")) ::unlink((partition.context().directory + "/" + name).c_str());
    }
  }
  Status status = Status::kOk;
  std::vector<Partition::Entry> entries = partition.Reload(true);
  std::shared_ptr<Segment> last;
  while (!entries.empty()) {
    last = partition.Map(entries.back(), &status);
    if (last == nullptr) return status;
    // A roll that its writer did not live to publish: the segment before it is the active one still.
    if (entries.size() < 2 || HasFrames(*last)) break;
    const auto before = partition.Map(entries[entries.size() - 2], &status);
    if (before == nullptr) return status;
    Seal seal;
    if (before->GetSeal(&seal) && seal.next_offset <= last->base_offset()) break;
    if (!read_only) ::unlink(last->path().c_str());
    entries.pop_back();
  }

  std::uint64_t position = entries.empty() ? hint_position : 0;
  std::uint64_t offset = entries.empty() ? hint_offset : 0;
  std::uint64_t ts_recv_newest = 0;
  SegmentIndex::Entry totals{.ts_recv_min = ~0ull};
  if (last != nullptr) {
    if (!read_only) {
      const std::uint64_t bytes = std::max<std::uint64_t>(std::min(last->span(), kSegmentBytesMax),
                                                          last->header_ok() ? 0 : partition.context().options().segment_bytes);
      if (!last->header_ok()) {
        Segment::Identity identity = last->identity();
        identity.span = bytes;
        last->Adopt(identity);
      }
      status = last->Repair(bytes);
      if (status != Status::kOk) return status;
      last->ClearSeal();
    }
    const Tail tail = ScanTail(*last, synced > last->start_position() ? synced - last->start_position() : 0);
    position = last->start_position() + tail.at;
    offset = tail.next_offset;
    if (!read_only) Scrub(*last, tail.at);
    totals = last->index().Totals(*last, tail.at);
    ts_recv_newest = totals.ts_recv_max;
    for (std::size_t i = 0; i + 1 < entries.size(); ++i) {
      const auto segment = partition.Map(entries[i], &status);
      if (segment == nullptr) continue;
      Seal seal;
      const bool sealed = segment->GetSeal(&seal);
      ts_recv_newest = std::max(ts_recv_newest, sealed ? seal.ts_recv_max : segment->index().Totals(*segment, segment->size() & ~7ull).ts_recv_max);
    }
    const bool clean = hinted && hint_position == position && hint_offset >= offset;
    offset = clean ? hint_offset : std::max(offset, hint_offset) + kOffsetJump;
    if (!read_only && last->Sync() != Status::kOk) return Status::kIoError;
  }
  if (hinted) ts_recv_newest = std::max(ts_recv_newest, page.ts_recv_newest.load());

  page.begin_offset.store(entries.empty() ? offset : entries.front().identity.base_offset, std::memory_order_relaxed);
  page.ts_recv_newest.store(ts_recv_newest, std::memory_order_relaxed);
  page.segment_ts_recv_max.store(totals.ts_recv_max, std::memory_order_relaxed);
  page.segment_position_max.store(totals.position_max, std::memory_order_relaxed);
  page.segment_ts_recv_min.store(totals.ts_recv_min, std::memory_order_relaxed);
  page.intent_position.store(position, std::memory_order_relaxed);
  page.synced_position.store(read_only || last == nullptr ? 0 : position, std::memory_order_relaxed);
  Publish(page, position, offset);
  page.structure.store((page.structure.load() | 1) + 1, std::memory_order_release);
  page.recoveries.fetch_add(1, std::memory_order_relaxed);
  shared.Stamp();
  partition.Reload(false);
  return Status::kOk;
}

}  // namespace tw::journal
