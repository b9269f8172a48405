// Retention and trim: whole closed segments go, oldest first.
#include <algorithm>
#include <map>

#include "journal/admin.h"
#include "journal/appender.h"
#include "journal/index.h"
#include "journal/log_impl.h"
#include "journal/maintenance.h"
#include "journal/reader.h"
#include "wire/batch.h"

namespace tw::journal {
namespace {

struct Candidate {
  std::uint64_t next_offset = 0;
  std::uint64_t ts_recv_max = 0;
  std::uint64_t bytes = 0;
};

// What each segment holds, the active one included; its newest time is its own, not the page's, so that a damaged page
// cannot make a log look old.
bool Measure(Partition& partition, const std::vector<Partition::Entry>& entries, std::vector<Candidate>* out) {
  std::uint64_t end_position = 0;
  std::uint64_t end_offset = 0;
  partition.End(&end_position, &end_offset);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Status status = Status::kOk;
    const auto segment = partition.Map(entries[i], &status);
    if (segment == nullptr) return false;
    const Readable readable = ReadableOf(*segment, end_position);
    Candidate candidate;
    candidate.next_offset = i + 1 < entries.size() ? entries[i + 1].identity.base_offset : end_offset;
    candidate.ts_recv_max = readable.sealed ? readable.seal.ts_recv_max : segment->index().Totals(*segment, readable.limit).ts_recv_max;
    candidate.bytes = readable.limit;
    out->push_back(candidate);
  }
  return true;
}

Gap MakeGap(const StreamKey& stream, std::uint64_t first, std::uint64_t last, std::uint64_t ts_event, std::uint64_t ts_recv) {
  Gap gap{};
  gap.header.ts_event = ts_event;
  gap.header.ts_recv = ts_recv;
  gap.header.seq = static_cast<std::uint32_t>(first);
  gap.header.epoch = static_cast<std::uint32_t>(first >> 32);
  gap.header.instrument_id = stream.instrument_id;
  gap.header.type = RecordType::kGap;
  gap.header.source = stream.source;
  gap.count = last - first + 1;
  gap.of_type = stream.type;
  gap.of_basis = stream.basis;
  gap.cause = GapCause::kRetention;
  gap.version = 1;
  gap.state = GapState::kOpen;
  return gap;
}

// The records in [from, to), per stream and epoch: their first and last positions.
std::vector<DeletionReport::Lost> CountLost(const std::shared_ptr<Partition>& partition, std::uint64_t from, std::uint64_t to, std::uint64_t ts_recv) {
  struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t ts_event = 0;
  };
  std::map<StreamKey, StreamCursor> cursors;
  std::map<std::pair<StreamKey, std::uint32_t>, Range> ranges;
  const auto reader = MakeReader(partition);
  if (reader->SeekOffset(from) != Status::kOk) return {};
  MessageView message;
  for (;;) {
    const Status status = reader->Next(&message);
    if (status == Status::kSkipped || status == Status::kExpired) continue;
    if (status != Status::kOk || message.offset >= to) break;
    wire::BatchView batch;
    if (message.kind != Kind::kBatch || wire::BatchView::Parse(message.value, &batch) != wire::BatchError::kNone) continue;
    for (std::uint32_t i = 0; i < batch.size(); ++i) {
      const Header* header = batch[i];
      if (message.offset + i < from || !HasStream(header->type)) continue;
      const StreamKey stream = StreamOf(header);
      StreamCursor& cursor = cursors[stream];
      if (!cursor.Accept(header)) continue;
      if (header->type == RecordType::kGap && !reinterpret_cast<const Gap*>(header)->ours()) continue;
      auto [range, fresh] = ranges.try_emplace({stream, header->epoch});
      if (fresh) range->second.first = header->position();
      range->second.last = cursor.last();
      range->second.ts_event = header->ts_event;
    }
  }
  std::vector<DeletionReport::Lost> lost;
  for (const auto& [key, range] : ranges) {
    lost.push_back({partition->context().topic, partition->context().number, key.first,
                    MakeGap(key.first, range.first, range.last, range.ts_event, ts_recv)});
  }
  return lost;
}

Status AppendGaps(const std::shared_ptr<Partition>& partition, const std::vector<DeletionReport::Lost>& lost, Durability durability, std::uint64_t now) {
  if (lost.empty()) return Status::kOk;
  Status status = Status::kOk;
  const auto appender = MakeAppender(partition, durability, &status);
  if (appender == nullptr) return status;
  wire::BatchBuilder builder(256);
  for (std::size_t at = 0; at < lost.size();) {
    builder.Begin(RecordType::kGap, 0);
    while (at < lost.size() && builder.Add(&lost[at].gap)) ++at;
    const auto value = builder.Finish(now);
    const Appender::Message message{.value = value, .count = builder.count(), .ts_recv = builder.info().ts_recv_first, .ts_recv_max = builder.ts_recv_max()};
    do {
      status = appender->Append(message).status;
    } while (status == Status::kBusy);
    if (status != Status::kOk) return status;
  }
  return Status::kOk;
}

Status RetainPartition(EmbeddedLog& log, const TopicOptions& topic, std::uint32_t number, const LowestNeeded& lowest_needed, DeletionReport* report) {
  Status status = Status::kOk;
  const auto partition = log.OpenPartition(topic.name, number, &status);
  if (partition == nullptr) return status;
  const MaintenanceTurn turn(*partition);
  if (turn.status() != Status::kOk) return turn.status();
  const std::vector<Partition::Entry> entries = partition->Reload(false);
  std::vector<Candidate> segments;
  if (entries.size() < 2 || !Measure(*partition, entries, &segments)) return Status::kOk;
  const std::uint64_t needed = lowest_needed ? lowest_needed(topic.name, number) : ~0ull;

  std::uint64_t newest = 0;
  std::uint64_t bytes = 0;
  for (const Candidate& segment : segments) {
    newest = std::max(newest, segment.ts_recv_max);
    bytes += segment.bytes;
  }
  std::size_t count = 0;
  std::uint64_t freed = 0;
  for (; count + 1 < segments.size(); ++count) {
    const Candidate& segment = segments[count];
    const bool over_budget = topic.retention_bytes >= 0 && bytes - freed > static_cast<std::uint64_t>(topic.retention_bytes);
    const bool old = topic.retention_ms >= 0 && newest > segment.ts_recv_max &&
                     (newest - segment.ts_recv_max) / 1'000'000 > static_cast<std::uint64_t>(topic.retention_ms);
    if (!over_budget && (!old || segment.next_offset > needed)) break;
    freed += segment.bytes;
  }
  if (count == 0) return Status::kOk;
  std::vector<DeletionReport::Lost> lost;
  if (segments[count - 1].next_offset > needed) {
    lost = CountLost(partition, std::max(needed, entries.front().identity.base_offset), segments[count - 1].next_offset, newest);
  }
  // The gap records first: who is killed between the two leaves repeats, not a silent hole.
  const std::uint64_t now = log.options().wall_ns ? log.options().wall_ns() : newest;
  status = AppendGaps(partition, lost, log.options().durability, now);
  if (status != Status::kOk) return status;
  status = DeleteOldest(*partition, entries, count);
  if (status != Status::kOk) return status;
  report->segments += count;
  report->bytes += freed;
  report->lost.insert(report->lost.end(), lost.begin(), lost.end());
  return Status::kOk;
}

}  // namespace

Status Retain(Log& log, const LowestNeeded& lowest_needed, DeletionReport* report) {
  auto& embedded = static_cast<EmbeddedLog&>(log);
  if (embedded.read_only()) return Status::kInvalid;
  Status result = Status::kOk;
  for (const TopicOptions& topic : log.ListTopics()) {
    if (topic.compact || (topic.retention_ms < 0 && topic.retention_bytes < 0)) continue;
    for (std::uint32_t number = 0; number < topic.partitions; ++number) {
      const Status status = RetainPartition(embedded, topic, number, lowest_needed, report);
      if (status != Status::kOk) result = status;  // The other partitions still get their turn.
    }
  }
  return result;
}

Status Trim(Log& log, std::string_view topic, std::uint32_t number, std::uint64_t before_offset, std::uint64_t before_ts_recv, DeletionReport* report) {
  auto& embedded = static_cast<EmbeddedLog&>(log);
  if (embedded.read_only()) return Status::kInvalid;
  Status status = Status::kOk;
  const auto partition = embedded.OpenPartition(topic, number, &status);
  if (partition == nullptr) return status;
  const MaintenanceTurn turn(*partition);
  if (turn.status() != Status::kOk) return turn.status();
  const std::vector<Partition::Entry> entries = partition->Reload(false);
  std::vector<Candidate> segments;
  if (entries.size() < 2 || !Measure(*partition, entries, &segments)) return Status::kOk;
  std::size_t count = 0;
  std::uint64_t freed = 0;
  while (count + 1 < segments.size() &&
         (segments[count].next_offset <= before_offset || (before_ts_recv != 0 && segments[count].ts_recv_max < before_ts_recv))) {
    freed += segments[count++].bytes;
  }
  status = DeleteOldest(*partition, entries, count);
  if (status != Status::kOk) return status;
  report->segments += count;
  report->bytes += freed;
  return Status::kOk;
}

}  // namespace tw::journal
