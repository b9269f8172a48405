#include "journal/admin.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "journal/log_impl.h"
#include "journal/waiting.h"
#include "wire/batch.h"
#include "wire/record_hash.h"

namespace tw::journal {
namespace {

constexpr std::size_t kDamagesMax = 1000;
constexpr std::uint64_t kReportBytes = 1 << 20;

// market.{class}.gaps.{exchange} holds copies of gap records that stand in their own partitions.
bool HoldsGapCopies(std::string_view topic) {
  const std::size_t first = topic.find('.');
  const std::size_t second = first == std::string_view::npos ? first : topic.find('.', first + 1);
  return second != std::string_view::npos && topic.substr(second + 1).starts_with("gaps.") && topic.starts_with("market.");
}

struct Verification {
  const OnProgress& progress;
  VerifyReport* report;
  wire::RecordHash* hash;
  Progress now;
  std::uint64_t told = 0;
  std::uint32_t epoch_min = 0;
};

bool Tell(Verification& run) {
  if (!run.progress || run.now.bytes_done - run.told < kReportBytes) return true;
  run.told = run.now.bytes_done;
  return run.progress(run.now);
}

void Count(Verification& run, const MessageView& message, std::unordered_map<StreamKey, StreamCursor, StreamKeyHash>& cursors, bool hashed) {
  VerifyReport& report = *run.report;
  ++report.messages;
  report.bytes += message.value.size();
  run.now.bytes_done += message.value.size();
  run.now.messages = report.messages;
  if (message.kind == Kind::kOpaque) {
    ++report.opaque;
    return;
  }
  wire::BatchView batch;
  if (wire::BatchView::Parse(message.value, &batch) != wire::BatchError::kNone) {
    ++report.bad_batches;
    return;
  }
  report.records += batch.size();
  run.now.records = report.records;
  for (std::uint32_t i = 0; i < batch.size(); ++i) {
    const Header* record = batch[i];
    if (!HasStream(record->type)) continue;
    if (!cursors[StreamOf(record)].Accept(record)) ++report.repeats;
    if (hashed && record->epoch >= run.epoch_min) run.hash->Add(record);
  }
}

Status VerifyPartition(Log& log, const TopicOptions& topic, std::uint32_t number, bool hashed, Verification& run) {
  Status status = Status::kOk;
  const auto reader = log.OpenReader(topic.name, number, &status);
  if (reader == nullptr) return status == Status::kNotFound ? Status::kOk : status;
  std::unordered_map<StreamKey, StreamCursor, StreamKeyHash> cursors;
  const std::uint64_t end = reader->end_offset();
  MessageView message;
  while (reader->position() < end) {
    status = NextWithin(reader.get(), &message);
    if (status == Status::kEnd) break;
    if (status == Status::kExpired) continue;  // Retention is at work beside us.
    if (status == Status::kSkipped) {
      const Reader::Skip& skip = reader->skip();
      ++run.report->damage_count;
      run.report->offsets_lost += skip.to_offset - skip.from_offset;
      if (run.report->damages.size() < kDamagesMax) {
        run.report->damages.push_back({topic.name, number, skip.from_offset, skip.to_offset, skip.file, skip.file_position});
      }
      continue;
    }
    if (status != Status::kOk) return status;
    Count(run, message, cursors, hashed);
    if (!Tell(run)) return Status::kClosed;
  }
  run.report->streams += cursors.size();
  ++run.report->partitions;
  return Status::kOk;
}

}  // namespace

Status Verify(Log& log, const VerifyOptions& options, const OnProgress& progress, VerifyReport* report) {
  std::set<std::string> chosen(options.topics.begin(), options.topics.end());
  std::vector<TopicOptions> topics;
  for (TopicOptions& topic : log.ListTopics()) {
    if (chosen.empty() || chosen.count(topic.name) != 0) topics.push_back(std::move(topic));
  }
  if (topics.size() < chosen.size()) return Status::kNotFound;
  wire::RecordHash hash;
  Verification run{progress, report, &hash, {}, 0, options.epoch_min};
  for (const TopicOptions& topic : topics) {
    for (std::uint32_t number = 0; number < topic.partitions; ++number) {
      PartitionInfo info;
      if (log.Describe(topic.name, number, &info) == Status::kOk) run.now.bytes_total += info.bytes;
    }
  }
  for (const TopicOptions& topic : topics) {
    const bool hashed = options.hash && (!chosen.empty() || !HoldsGapCopies(topic.name));
    for (std::uint32_t number = 0; number < topic.partitions; ++number) {
      const Status status = VerifyPartition(log, topic, number, hashed, run);
      if (status != Status::kOk) return status;
    }
    ++report->topics;
  }
  if (options.hash) report->hash = hash.Digest();
  return Status::kOk;
}

Status DiskUsage(Log& log, std::vector<Usage>* out) {
  auto& embedded = static_cast<EmbeddedLog&>(log);
  for (const TopicOptions& topic : log.ListTopics()) {
    for (std::uint32_t number = 0; number < topic.partitions; ++number) {
      PartitionInfo info;
      const Status status = log.Describe(topic.name, number, &info);
      // A partition nobody wrote to yet has no directory when the log is open read-only.
      if (status != Status::kOk && status != Status::kNotFound) return status;
      Usage usage{topic.name, number, info.begin_offset, info.end_offset, info.bytes, 0, info.segments, info.ts_recv_newest};
      Status opened = Status::kOk;
      const auto partition = embedded.OpenPartition(topic.name, number, &opened);
      if (partition != nullptr) {
        for (const std::string& name : ListDirectory(partition->context().directory)) {
          struct stat file{};
          if (::stat((partition->context().directory + "/" + name).c_str(), &file) == 0) usage.disk_bytes += static_cast<std::uint64_t>(file.st_blocks) * 512;
        }
      }
      out->push_back(std::move(usage));
    }
  }
  return Status::kOk;
}

}  // namespace tw::journal
