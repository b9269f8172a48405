#include "batch/output.h"

#include <algorithm>

namespace tw::batch {
namespace {

constexpr std::uint64_t kRetryBusyNs = 100'000;
constexpr std::uint64_t kRetryRefusedNs = 10'000'000;

}  // namespace

Output::Output(const OutputContext* context, std::string topic, std::uint32_t partition)
    : context_(context), topic_(std::move(topic)), partition_(partition), builder_(context->records_max) {}

void Output::Add(const Header* record, bool live) {
  if (builder_.count() != 0 && builder_.type() != record->type) Flush();
  if (builder_.count() == 0) {
    builder_.Begin(record->type, context_->origin);
    opened_at_ = context_->now();
    live_ = live;
  }
  builder_.Add(record);
  live_ = live_ && live;
  if (builder_.full()) Flush();
}

void Output::Flush() {
  if (builder_.count() == 0) return;
  Write(builder_, {});
  builder_.Begin(builder_.type(), context_->origin);
}

void Output::AppendKeyed(const Header* record, std::string_view key) {
  Flush();
  builder_.Begin(record->type, context_->origin);
  builder_.Add(record);
  live_ = false;
  Write(builder_, key);
  builder_.Begin(record->type, context_->origin);
}

void Output::Write(wire::BatchBuilder& builder, std::string_view key) {
  BatcherStats& stats = *context_->stats;
  const std::uint32_t count = builder.count();
  for (;;) {
    journal::Status status = journal::Status::kOk;
    if (appender_ == nullptr) appender_ = context_->log->OpenAppender(topic_, partition_, &status);
    if (appender_ != nullptr) {
      const std::uint64_t before = context_->now();
      const auto value = builder.Finish(before);
      const auto result = appender_->Append({.kind = journal::Kind::kBatch,
                                             .key = key,
                                             .value = value,
                                             .count = count,
                                             .ts_recv = builder.info().ts_recv_first,
                                             .ts_recv_max = builder.ts_recv_max(),
                                             .position_max = builder.position_max()});
      status = result.status;
      if (status == journal::Status::kOk) {
        const std::uint64_t after = context_->now();
        stats.append_ns.Add(after - before);
        if (live_ && after > builder.info().ts_recv_first) stats.total_ns.Add(after - builder.info().ts_recv_first, count);
        stats.records.Add(count);
        stats.batches.Add();
        stats.bytes.Add(value.size());
        if (stats.refusing.load(std::memory_order_relaxed) != journal::Status::kOk) stats.refusing.store(journal::Status::kOk);
        return;
      }
    } else if (status == journal::Status::kOk) {
      status = journal::Status::kIoError;
    }
    if (status == journal::Status::kTooLarge) {
      if (count > 1) return WriteHalves(builder, key);
      stats.lost.Add();
      return;
    }
    stats.refusing.store(status, std::memory_order_relaxed);
    (status == journal::Status::kBusy ? stats.busy : status == journal::Status::kDiskFull ? stats.disk_full : stats.errors).Add();
    if (!context_->pause(status == journal::Status::kBusy ? kRetryBusyNs : kRetryRefusedNs)) {
      stats.lost.Add(count);
      return;
    }
  }
}

// A batch that no segment holds is written as two; rare, so it may allocate.
void Output::WriteHalves(wire::BatchBuilder& whole, std::string_view key) {
  const std::uint32_t count = whole.count();
  const auto bytes = whole.Finish(0);
  std::vector<std::uint64_t> copy((bytes.size() + 7) / 8);
  std::memcpy(copy.data(), bytes.data(), bytes.size());
  wire::BatchView view;
  if (wire::BatchView::Parse({reinterpret_cast<const std::uint8_t*>(copy.data()), bytes.size()}, &view) !=
      wire::BatchError::kNone) {
    context_->stats->lost.Add(count);
    return;
  }
  wire::BatchBuilder half(count);
  for (std::uint32_t from = 0; from < count; from += count / 2 + 1) {
    half.Begin(whole.type(), context_->origin);
    for (std::uint32_t i = from; i < std::min(count, from + count / 2 + 1); ++i) half.Add(view[i]);
    Write(half, key);
  }
}

}  // namespace tw::batch
