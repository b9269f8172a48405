#include "publish/view_writer.h"

#include <utility>

#include "wire/batch.h"
#include "wire/json.h"

namespace tw::publish {

ViewWriter::ViewWriter(Producer* producer, Topic* topic, std::uint32_t partitions, Flight* flight,
                       std::shared_ptr<InstrumentTable> instruments, std::shared_ptr<WriterCounters> counters,
                       const ViewOptions& options)
    : producer_(producer),
      topic_(topic),
      partitions_(partitions),
      flight_(flight),
      instruments_(std::move(instruments)),
      counters_(std::move(counters)),
      options_(options) {}

Writer::Result ViewWriter::Take(const journal::MessageView& message, std::uint64_t now_ns) {
  wire::BatchView batch;
  const bool readable =
      message.kind == journal::Kind::kBatch && wire::BatchView::Parse(message.value, &batch) == wire::BatchError::kNone;
  if (!readable) counters_->bad.fetch_add(1, std::memory_order_relaxed);
  if (parcel_ == nullptr) parcel_ = flight_->Open(message.offset + message.count, message.count, now_ns);
  if (readable && IsViewed(batch.info().type)) {
    for (; next_ < batch.size(); ++next_) {
      const Result taken = TakeRecord(batch[next_], batch.record_size(), now_ns);
      if (taken != Result::kTaken) return taken;
    }
  }
  next_ = 0;
  flight_->Close(std::exchange(parcel_, nullptr));
  return Result::kTaken;
}

Writer::Result ViewWriter::TakeRecord(const Header* record, std::size_t size, std::uint64_t now_ns) {
  bool waits = false;
  const Instrument* instrument = Find(record->instrument_id, now_ns, &waits);
  if (waits) return Result::kWait;
  if (instrument == nullptr) {
    counters_->unknown_instrument.fetch_add(1, std::memory_order_relaxed);
    return Result::kTaken;
  }
  Message message;
  message.value = Encode(record, size, *instrument);
  if (message.value.empty()) {
    counters_->bad.fetch_add(1, std::memory_order_relaxed);
    return Result::kTaken;
  }
  message.topic = topic_;
  message.partition = static_cast<std::int32_t>(instrument->key_hash % partitions_);
  message.key = instrument->symbol;
  message.ts_recv = record->ts_recv;
  switch (producer_->Send(message, parcel_)) {
    case Producer::Sent::kOk: break;
    case Producer::Sent::kFull: return Result::kFull;
    case Producer::Sent::kFailed: return Result::kFailed;
  }
  Count(counters_->records);
  return Result::kTaken;
}

// Its definition may be on its way here. It is waited for once, a bounded time, and never invented.
const Instrument* ViewWriter::Find(std::uint32_t id, std::uint64_t now_ns, bool* waits) {
  const Instrument* instrument = instruments_->Find(id);
  if (instrument != nullptr || unknown_.contains(id)) {
    give_up_ns_ = 0;
    return instrument;
  }
  if (give_up_ns_ == 0) give_up_ns_ = now_ns + options_.instrument_wait_ms * 1'000'000ull;
  *waits = now_ns < give_up_ns_;
  if (!*waits) {
    unknown_.insert(id);
    give_up_ns_ = 0;
  }
  return nullptr;
}

std::span<const std::uint8_t> ViewWriter::Encode(const Header* record, std::size_t size, const Instrument& instrument) {
  switch (options_.encoding) {
    case Encoding::kRecord: return {reinterpret_cast<const std::uint8_t*>(record), size};
    case Encoding::kAvro: {
      const std::uint32_t schema_id = options_.schema_ids[static_cast<std::size_t>(record->type)];
      return schema_id == 0 ? std::span<const std::uint8_t>() : avro_.Encode(record, instrument, schema_id);
    }
    case Encoding::kJson: break;
  }
  json_.clear();
  wire::AppendRecordJson(record, *instruments_, &json_);
  return {reinterpret_cast<const std::uint8_t*>(json_.data()), json_.size()};
}

}  // namespace tw::publish
