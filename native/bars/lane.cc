#include "bars/lane.h"

#include <algorithm>
#include <tuple>

#include "journal/waiting.h"

namespace tw::bars {
namespace {

std::tuple<std::uint64_t, std::uint32_t, std::uint16_t> OrderOf(const Cause& cause) { return {cause.offset, cause.index, cause.ordinal}; }

}  // namespace

Lane::Lane(const LaneContext& context, const LaneId& id)
    : context_(context), id_(id), aggregator_(*context.options, this), builder_(context.batch_records) {
  pending_.reserve(4096);
}

std::string Lane::Open() {
  journal::Status status = journal::Status::kOk;
  auto failed = [&](const std::string& topic) {
    return topic + '/' + std::to_string(id_.partition) + ": " + journal::StatusName(status);
  };
  reader_ = context_.log->OpenReader(context_.input, id_.partition, &status);
  if (reader_ == nullptr) return failed(context_.input);
  appender_ = context_.log->OpenAppender(context_.output, id_.partition, &status);
  if (appender_ == nullptr) return failed(context_.output);
  state_appender_ = context_.log->OpenAppender(context_.state, id_.partition, &status);
  if (state_appender_ == nullptr) return failed(context_.state);
  const std::unique_ptr<journal::Reader> state = context_.log->OpenReader(context_.state, id_.partition, &status);
  if (state == nullptr) return failed(context_.state);
  status = ReadSnapshot(state.get(), Key(), context_.beat, &snapshot_);
  if (status != journal::Status::kOk && status != journal::Status::kNotFound) return failed(context_.state);
  if (status == journal::Status::kOk) {
    const std::string refused = aggregator_.Restore(snapshot_.state);
    if (!refused.empty()) return refused;
    snapshot_input_ = snapshot_.input_offset;
    ts_snapshot_ = ts_log_ = snapshot_.ts_recv;
    status = reader_->SeekOffset(snapshot_.input_offset);
    if (status != journal::Status::kOk && status != journal::Status::kEnd && status != journal::Status::kExpired) return failed(context_.input);
  }
  stats_.restored_at = stats_.position = snapshot_.input_offset;
  return ScanOutput(snapshot_.output_offset);
}

// The last cause of our own in the output: everything up to it was handed on before.
std::string Lane::ScanOutput(std::uint64_t from) {
  journal::Status status = journal::Status::kOk;
  const std::unique_ptr<journal::Reader> output = context_.log->OpenReader(context_.output, id_.partition, &status);
  if (output == nullptr) return context_.output + ": " + journal::StatusName(status);
  if (from > output->begin_offset()) output->SeekOffset(from);
  const auto& intervals = context_.options->intervals_ms;
  journal::MessageView message;
  for (;;) {
    status = journal::NextWithin(output.get(), &message, context_.beat);
    if (status == journal::Status::kSkipped || status == journal::Status::kExpired) continue;
    if (status == journal::Status::kEnd) return {};
    if (status != journal::Status::kOk) return context_.output + ": " + journal::StatusName(status);
    context_.beat();
    wire::BatchView batch;
    if (message.kind != journal::Kind::kBatch || wire::BatchView::Parse(message.value, &batch) != wire::BatchError::kNone) continue;
    if (batch.info().type != RecordType::kBar) continue;
    for (const Bar& bar : batch.As<Bar>()) {
      if (bar.cause.input != id_.input || static_cast<unsigned>(bar.basis) >= kBasisCount) continue;
      if ((context_.options->bases & BasisBit(bar.basis)) == 0) continue;
      if (std::find(intervals.begin(), intervals.end(), bar.interval_ms) == intervals.end()) continue;
      if (has_last_cause_ && OrderOf(bar.cause) <= OrderOf(last_cause_)) continue;
      has_last_cause_ = true;
      last_cause_ = bar.cause;
    }
  }
}

void Lane::OnBar(const Bar& bar) {
  if (has_last_cause_) {
    if (OrderOf(bar.cause) <= OrderOf(last_cause_)) {
      ++stats_.suppressed;
      return;
    }
    has_last_cause_ = false;  // Causes rise: nothing behind this one was handed on before.
  }
  pending_.push_back(bar);
}

Lane::Result Lane::FailOr(journal::Status status, const char* what) {
  if (status == journal::Status::kBusy) {
    ++stats_.busy;
    return Result::kBlocked;
  }
  if (status == journal::Status::kDiskFull) {
    ++stats_.disk_full;
    return Result::kBlocked;
  }
  error_ = context_.output + '/' + std::to_string(id_.partition) + ": " + what + ": " + journal::StatusName(status);
  return Result::kFailed;
}

Lane::Result Lane::Flush() {
  while (pending_at_ < pending_.size()) {
    // A batch that was refused is offered again as it was: an engine that has it under way knows it by its bytes.
    if (built_end_ == 0) {
      built_end_ = std::min<std::size_t>(pending_.size(), pending_at_ + context_.batch_records);
      builder_.Begin(RecordType::kBar, context_.origin);
      for (std::size_t i = pending_at_; i < built_end_; ++i) builder_.Add(&pending_[i]);
      built_ = builder_.Finish(context_.wall_ns());
    }
    journal::Appender::Message message;
    message.value = built_;
    message.count = builder_.count();
    message.ts_recv = builder_.info().ts_recv_first;
    message.ts_recv_max = builder_.ts_recv_max();
    message.position_max = builder_.position_max();
    const journal::Status status = appender_->Append(message).status;
    if (status != journal::Status::kOk) return FailOr(status, "append");
    stats_.appended += built_end_ - pending_at_;
    pending_at_ = built_end_;
    built_end_ = 0;
  }
  pending_.clear();
  pending_at_ = 0;
  return Result::kIdle;
}

Lane::Result Lane::Turn(std::uint32_t messages_max) {
  if (pending_at_ < pending_.size() || !pending_.empty()) {
    const Result flushed = Flush();
    if (flushed != Result::kIdle) return flushed;
  }
  journal::MessageView message;
  bool more = true;
  for (std::uint32_t i = 0; i < messages_max; ++i) {
    const journal::Status status = reader_->Next(&message);
    if (status == journal::Status::kEnd || status == journal::Status::kPending) {
      more = false;
      break;
    }
    if (status == journal::Status::kSkipped || status == journal::Status::kExpired) {
      ++stats_.log_holes;
      aggregator_.OnLogHole({reader_->skip().from_offset, 0, id_.input});
      stats_.position = reader_->position();
      snapshot_stale_ = true;
      continue;
    }
    if (status != journal::Status::kOk) {
      error_ = context_.input + '/' + std::to_string(id_.partition) + ": read: " + journal::StatusName(status);
      return Result::kFailed;
    }
    ++stats_.messages;
    stats_.position = message.offset + message.count;
    snapshot_stale_ = true;
    if (message.kind != journal::Kind::kBatch) {
      ++stats_.other_messages;
      continue;
    }
    wire::BatchView batch;
    if (wire::BatchView::Parse(message.value, &batch) != wire::BatchError::kNone) {
      ++stats_.bad_batches;
      if (stats_.bad_offsets.size() == kBadOffsetsMax) stats_.bad_offsets.erase(stats_.bad_offsets.begin());
      stats_.bad_offsets.push_back(message.offset);
      aggregator_.OnLogHole({message.offset, 0, id_.input});
      continue;
    }
    stats_.records += batch.size();
    for (std::uint32_t r = 0; r < batch.size(); ++r) {
      ts_log_ = std::max(ts_log_, batch[r]->ts_recv);
      aggregator_.OnRecord(batch[r], PositionOf(message, batch, r));
    }
    if (pending_.size() >= 4096) break;
  }
  const Result flushed = Flush();
  if (flushed != Result::kIdle) return flushed;
  if (ts_snapshot_ == 0) ts_snapshot_ = ts_log_;
  if (ts_log_ >= ts_snapshot_ + context_.snapshot_ns) {
    const Result taken = TakeSnapshot();
    if (taken == Result::kFailed) return taken;
  }
  return more ? Result::kMore : Result::kIdle;
}

// A state that could not be written costs only a longer restart: it is tried again after the next turn.
Lane::Result Lane::TakeSnapshot() {
  if (owns && !owns()) {
    ++stats_.snapshots_refused;
    return Result::kIdle;
  }
  journal::PartitionInfo output;
  const journal::Status described = context_.log->Describe(context_.output, id_.partition, &output);
  if (described != journal::Status::kOk) return FailOr(described, "describe");
  // A number is taken when its set stands whole: a set that failed half-way is written again, and the other one is left alone.
  const std::uint64_t number = snapshot_.number++;
  snapshot_.input_offset = stats_.position;
  snapshot_.output_offset = output.end_offset;
  snapshot_.ts_recv = ts_log_;
  aggregator_.Save(&snapshot_.state);
  const journal::Status status = WriteSnapshot(state_appender_.get(), Key(), snapshot_, context_.origin);
  if (status != journal::Status::kOk) {
    snapshot_.number = number;
    return FailOr(status, "state");
  }
  ++stats_.snapshots;
  stats_.snapshot_bytes = snapshot_.state.size();
  ts_snapshot_ = ts_log_;
  snapshot_input_ = snapshot_.input_offset;
  snapshot_stale_ = false;
  commit_due_ = true;
  return Result::kIdle;
}

Lane::Result Lane::Finish() {
  const Result flushed = Flush();
  if (flushed != Result::kIdle || !snapshot_stale_) return flushed;
  return TakeSnapshot();
}

LaneStats Lane::stats() const {
  LaneStats stats = stats_;
  stats.end = reader_ ? reader_->end_offset() : 0;
  stats.watermark = aggregator_.watermark();
  stats.instruments = aggregator_.nodes();
  return stats;
}

}  // namespace tw::bars
