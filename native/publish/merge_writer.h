// Batches of the log into batches of Kafka: consecutive messages of one partition, type and origin are merged, large ones are
// cut; the order within the partition is kept across types. Opaque messages pass as they are.
#pragma once
#include <memory>

#include "publish/pace.h"
#include "publish/publisher.h"
#include "publish/tail.h"
#include "publish/writer.h"
#include "wire/batch.h"

namespace tw::publish {

struct MergeOptions {
  std::uint32_t records_max = 256;
  bool compact = false;  // An empty value deletes its key.
  std::function<std::uint64_t()> wall_ns;
};

class MergeWriter final : public Writer {
 public:
  // `tail` filters the messages before `end`: later ones cannot stand in Kafka.
  MergeWriter(Producer* producer, Topic* topic, std::int32_t partition, Flight* flight, std::shared_ptr<Pace> pace,
              std::shared_ptr<WriterCounters> counters, MergeOptions options, Tail tail, std::uint64_t position,
              std::uint64_t end);

  Result Take(const journal::MessageView& message, std::uint64_t now_ns) override;
  Result Flush(std::uint64_t now_ns, bool force) override;
  std::uint64_t due_ns() const override {
    return builder_.count() == 0 ? 0 : begun_ns_ + pace_->HoldNs(flight_->size(), flight_->ack_ns());
  }

 private:
  Result TakeBatch(const journal::MessageView& message, std::uint64_t now_ns);
  Result TakeOpaque(const journal::MessageView& message, std::uint64_t now_ns);
  Result Send(const Message& message, std::uint64_t next_offset, std::uint32_t records, std::uint64_t now_ns);
  Result SendBatch(std::uint64_t now_ns);
  void PassOver(std::uint64_t now_ns);

  Producer* const producer_;
  Topic* const topic_;
  const std::int32_t partition_;
  Flight* const flight_;
  const std::shared_ptr<Pace> pace_;
  const std::shared_ptr<WriterCounters> counters_;
  const MergeOptions options_;
  Tail tail_;
  const std::uint64_t end_;
  wire::BatchBuilder builder_;
  std::uint64_t begun_ns_ = 0;  // When the first of the held records was taken.
  std::uint64_t covered_;       // First offset of the log that is not wholly in the builder or sent.
  std::uint32_t next_ = 0;      // Record of the message at which Take goes on.
};

}  // namespace tw::publish
