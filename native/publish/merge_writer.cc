#include "publish/merge_writer.h"

#include <utility>

namespace tw::publish {

MergeWriter::MergeWriter(Producer* producer, Topic* topic, std::int32_t partition, Flight* flight, std::shared_ptr<Pace> pace,
                         std::shared_ptr<WriterCounters> counters, MergeOptions options, Tail tail, std::uint64_t position,
                         std::uint64_t end)
    : producer_(producer),
      topic_(topic),
      partition_(partition),
      flight_(flight),
      pace_(std::move(pace)),
      counters_(std::move(counters)),
      options_(std::move(options)),
      tail_(std::move(tail)),
      end_(end),
      builder_(options_.records_max),
      covered_(position) {}

Writer::Result MergeWriter::Take(const journal::MessageView& message, std::uint64_t now_ns) {
  if (message.offset >= end_ && !tail_.empty()) tail_.Clear();
  return message.kind == journal::Kind::kBatch && message.key.empty() ? TakeBatch(message, now_ns) : TakeOpaque(message, now_ns);
}

Writer::Result MergeWriter::TakeBatch(const journal::MessageView& message, std::uint64_t now_ns) {
  wire::BatchView batch;
  if (wire::BatchView::Parse(message.value, &batch) != wire::BatchError::kNone) {
    // What is no batch to us may be one to a newer reader: it goes as it is.
    const Result sent = TakeOpaque(message, now_ns);
    if (sent == Result::kTaken) counters_->bad.fetch_add(1, std::memory_order_relaxed);
    return sent;
  }
  const bool joins =
      builder_.count() != 0 && builder_.type() == batch.info().type && builder_.info().origin == batch.info().origin;
  if (next_ == 0 && !joins) {
    if (const Result sent = SendBatch(now_ns); sent != Result::kTaken) return sent;
  }
  const bool filters = !tail_.empty();
  for (; next_ < batch.size(); ++next_) {
    if (builder_.full()) {
      if (const Result sent = SendBatch(now_ns); sent != Result::kTaken) return sent;
    }
    const Header* record = batch[next_];
    if (filters && !tail_.IsNew(record)) {
      counters_->repeats.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    if (builder_.count() == 0) {
      builder_.Begin(batch.info().type, batch.info().origin);
      begun_ns_ = now_ns;
    }
    builder_.Add(record);
  }
  next_ = 0;
  covered_ = message.offset + message.count;
  if (builder_.count() == 0) {
    PassOver(now_ns);
  } else if (builder_.full()) {
    // Not taken back when the queue is full: the records are held, and the next call tries again.
    if (SendBatch(now_ns) == Result::kFailed) return Result::kFailed;
  }
  return Result::kTaken;
}

Writer::Result MergeWriter::TakeOpaque(const journal::MessageView& view, std::uint64_t now_ns) {
  if (const Result sent = SendBatch(now_ns); sent != Result::kTaken) return sent;
  Message message;
  message.topic = topic_;
  message.partition = partition_;
  message.key = view.key;
  message.value = view.value;
  message.tombstone = options_.compact && view.value.empty();
  message.opaque = view.kind == journal::Kind::kOpaque;
  message.ts_recv = view.ts_recv;
  const Result sent = Send(message, view.offset + view.count, view.kind == journal::Kind::kBatch ? view.count : 0, now_ns);
  if (sent == Result::kTaken) covered_ = view.offset + view.count;
  return sent;
}

Writer::Result MergeWriter::Flush(std::uint64_t now_ns, bool force) {
  if (builder_.count() == 0) return Result::kTaken;
  if (!force && !builder_.full() && now_ns < due_ns()) return Result::kWait;
  return SendBatch(now_ns);
}

Writer::Result MergeWriter::SendBatch(std::uint64_t now_ns) {
  if (builder_.count() == 0) return Result::kTaken;
  Message message;
  message.topic = topic_;
  message.partition = partition_;
  message.value = builder_.Finish(options_.wall_ns());
  message.ts_recv = builder_.info().ts_recv_first;
  message.ts_recv_max = builder_.ts_recv_max();
  const Result sent = Send(message, covered_, builder_.count(), now_ns);
  if (sent == Result::kTaken) builder_.Begin(builder_.type(), 0);
  return sent;
}

Writer::Result MergeWriter::Send(const Message& message, std::uint64_t next_offset, std::uint32_t records, std::uint64_t now_ns) {
  Parcel* parcel = flight_->Open(next_offset, records, now_ns);
  const Producer::Sent sent = producer_->Send(message, parcel);
  if (sent != Producer::Sent::kOk) {
    flight_->Withdraw(parcel);
    return sent == Producer::Sent::kFull ? Result::kFull : Result::kFailed;
  }
  flight_->Close(parcel);
  pace_->Sent(now_ns);
  Count(counters_->records, records);
  return Result::kTaken;
}

// Nothing of a message was sent: the position moves over it, behind what is in flight.
void MergeWriter::PassOver(std::uint64_t now_ns) { flight_->Close(flight_->Open(covered_, 0, now_ns)); }

}  // namespace tw::publish
