// Compaction by key: closed segments are rewritten without the messages that newer ones of the same key replace. Offsets stay.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <unordered_map>

#include "journal/admin.h"
#include "journal/frame.h"
#include "journal/log_impl.h"
#include "journal/maintenance.h"

namespace tw::journal {
namespace {

constexpr std::uint32_t kLockMs = 2'000;

struct Source {
  Partition::Entry entry;
  std::shared_ptr<Segment> segment;
  Readable readable;
  std::uint64_t next_offset = 0;
};

template <class Visit>
void Walk(const Source& source, Visit visit) {
  std::uint64_t at = kSegmentHeaderBytes;
  std::uint64_t expected = source.segment->base_offset();
  while (at + kFrameHeaderBytes <= source.readable.limit) {
    FrameView frame;
    if (!ReadFrame(source.segment->data() + at, source.readable.limit - at, &frame) || frame.message.offset < expected) {
      if (!FindFrame(source.segment->data(), at + 8, source.readable.limit, expected, ~0ull, &at, &frame)) return;
    }
    visit(frame, source.segment->data() + at);
    at += frame.bytes;
    expected = frame.next_offset();
  }
}

bool Tombstone(const FrameView& frame) { return frame.message.kind == Kind::kOpaque && frame.message.value.empty(); }

enum class Fate { kKeep, kDrop, kDropTombstone };

class Newest {
 public:
  void Add(const FrameView& frame) { newest_[std::string(frame.message.key)] = frame.message.offset; }
  Fate Of(const FrameView& frame, bool compacted_before) const {
    const auto newest = newest_.find(std::string(frame.message.key));
    if (newest != newest_.end() && newest->second > frame.message.offset) return Fate::kDrop;
    return compacted_before && Tombstone(frame) ? Fate::kDropTombstone : Fate::kKeep;
  }

 private:
  std::unordered_map<std::string, std::uint64_t> newest_;
};

struct Plan {
  std::vector<Source> sources;
  std::uint64_t bytes = 0;  // Of the frames that stay.
  std::uint64_t dropped = 0;
};

// One output for a run of segments: written beside them, then swapped in under the lock.
Status Rewrite(Partition& partition, const Plan& plan, const Newest& newest, CompactionReport* report) {
  const Source& first = plan.sources.front();
  const Source& last = plan.sources.back();
  Segment::Identity identity = first.segment->identity();
  identity.log_id = partition.context().log_id;
  identity.span = last.segment->end_position() - first.segment->start_position();
  identity.flags = kSegmentCompacted;
  const std::uint64_t file_bytes = (kSegmentHeaderBytes + plan.bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  std::shared_ptr<Segment> output;
  Status status = Segment::Create(partition.PathOf(first.segment->base_offset()), identity, file_bytes, &output);
  if (status != Status::kOk) return status;
  Seal seal;
  seal.end = kSegmentHeaderBytes;
  seal.next_offset = last.next_offset;
  seal.ts_recv_min = ~0ull;
  for (const Source& source : plan.sources) {
    Walk(source, [&](const FrameView& frame, const std::uint8_t* bytes) {
      const Fate fate = newest.Of(frame, source.segment->compacted());
      if (fate == Fate::kDrop) ++report->messages_dropped;
      if (fate == Fate::kDropTombstone) ++report->tombstones_dropped;
      if (fate != Fate::kKeep || seal.end + frame.bytes > output->size()) return;
      std::memcpy(output->data() + seal.end, bytes, frame.bytes);
      seal.end += frame.bytes;
      seal.ts_recv_max = std::max(seal.ts_recv_max, frame.header->ts_recv_max);
      seal.ts_recv_min = std::min(seal.ts_recv_min, frame.header->ts_recv);
      seal.position_max = std::max(seal.position_max, frame.header->position_max);
    });
  }
  output->SetSeal(seal);
  status = output->Sync();
  if (status != Status::kOk) return status;

  PartitionLock lock;
  status = lock.Open(partition.LockPath());
  if (status != Status::kOk) return status;
  {
    const PartitionLockGuard guard(lock, kLockMs);
    if (guard.status() != Status::kOk) return guard.status();
    const StructureChange change(*partition.page());
    status = output->Commit();
    if (status != Status::kOk) return status;
    for (std::size_t i = 1; i < plan.sources.size(); ++i) ::unlink(plan.sources[i].segment->path().c_str());
  }
  partition.Reload(false);
  return Status::kOk;
}

}  // namespace

Status Compact(Log& log, std::string_view topic, std::uint32_t number, CompactionReport* report) {
  auto& embedded = static_cast<EmbeddedLog&>(log);
  TopicOptions options;
  if (!log.FindTopic(topic, &options)) return Status::kNotFound;
  if (embedded.read_only() || !options.compact) return Status::kInvalid;
  Status status = Status::kOk;
  const auto partition = embedded.OpenPartition(topic, number, &status);
  if (partition == nullptr) return status;
  const MaintenanceTurn turn(*partition);
  if (turn.status() != Status::kOk) return turn.status();

  const std::vector<Partition::Entry> entries = partition->Reload(false);
  std::uint64_t end_position = 0;
  std::uint64_t end_offset = 0;
  partition->End(&end_position, &end_offset);
  std::vector<Source> closed;
  Newest newest;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Source source{entries[i], partition->Map(entries[i], &status), {}, i + 1 < entries.size() ? entries[i + 1].identity.base_offset : end_offset};
    if (source.segment == nullptr) return status;
    source.readable = ReadableOf(*source.segment, end_position);
    Walk(source, [&](const FrameView& frame, const std::uint8_t*) { newest.Add(frame); });
    report->bytes_before += source.readable.limit;
    if (source.readable.closed && i + 1 < entries.size()) closed.push_back(std::move(source));
  }
  report->segments_before += entries.size();

  const std::uint64_t capacity = options.segment_bytes - kSegmentHeaderBytes;
  std::vector<Plan> plans;
  for (Source& source : closed) {
    std::uint64_t bytes = 0;
    std::uint64_t dropped = 0;
    Walk(source, [&](const FrameView& frame, const std::uint8_t*) {
      if (newest.Of(frame, source.segment->compacted()) == Fate::kKeep) {
        bytes += frame.bytes;
      } else {
        ++dropped;
      }
    });
    if (plans.empty() || plans.back().bytes + bytes > capacity) plans.emplace_back();
    plans.back().bytes += bytes;
    plans.back().dropped += dropped;
    plans.back().sources.push_back(std::move(source));
  }
  // Oldest first: a tombstone outlives what it removes, wherever this is killed.
  for (const Plan& plan : plans) {
    if (plan.dropped == 0 && plan.sources.size() == 1) continue;
    status = Rewrite(*partition, plan, newest, report);
    if (status != Status::kOk) return status;
  }
  PartitionInfo info;
  status = log.Describe(topic, number, &info);
  report->segments_after += info.segments;
  report->bytes_after += info.bytes;
  return status;
}

}  // namespace tw::journal
