// One topic partition that the batcher writes: the batch being built and its way into the log. Batcher's thread only.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "journal/log.h"
#include "ring/feed_ring.h"
#include "wire/batch.h"

namespace tw::batch {

// Counters of a batcher; its thread adds, any thread reads.
struct BatcherStats {
  ring::Counter records;  // Appended, copies (clocks per partition, gaps in the gaps topic) included.
  ring::Counter batches;
  ring::Counter bytes;      // Of batches.
  ring::Counter clocks;     // Clock records written, per partition.
  ring::Counter gaps;       // Copies in gaps topics.
  ring::Counter unrouted;   // Records without a route, or of an instrument that the table does not hold.
  ring::Counter busy;       // Appends answered kBusy, retried.
  ring::Counter disk_full;  // Appends answered kDiskFull, retried.
  ring::Counter errors;     // Appends answered otherwise, retried.
  ring::Counter lost;       // Records given up: the batcher was stopped while the log refused, or a record fits no segment.
  std::atomic<journal::Status> refusing{journal::Status::kOk};  // What the log says right now; kOk while it takes.
  ring::Histogram append_ns;                                    // Duration of one append.
  ring::Histogram total_ns;                                     // ts_recv to appended, live feeds.
};

struct OutputContext {
  journal::Log* log = nullptr;
  std::uint64_t origin = 0;
  std::size_t records_max = 256;
  std::function<std::uint64_t()> now;        // Wall ns: ts_append and latencies.
  std::function<bool(std::uint64_t)> pause;  // Sleeps for that long while the log refuses. False: stop retrying.
  BatcherStats* stats = nullptr;
};

class Output {
 public:
  Output(const OutputContext* context, std::string topic, std::uint32_t partition);

  void Add(const Header* record, bool live);
  void Flush();
  // One record as a message of its own under a key (compacted topics).
  void AppendKeyed(const Header* record, std::string_view key);
  bool open() const { return builder_.count() != 0; }
  bool listed = false;  // The batcher's: it stands in its list of open outputs.
  std::uint64_t opened_at() const { return opened_at_; }
  const std::string& topic() const { return topic_; }
  std::uint32_t partition() const { return partition_; }

 private:
  void Write(wire::BatchBuilder& builder, std::string_view key);
  void WriteHalves(wire::BatchBuilder& whole, std::string_view key);

  const OutputContext* context_;
  std::string topic_;
  std::uint32_t partition_;
  std::unique_ptr<journal::Appender> appender_;
  wire::BatchBuilder builder_;
  std::uint64_t opened_at_ = 0;
  bool live_ = false;
};

}  // namespace tw::batch
