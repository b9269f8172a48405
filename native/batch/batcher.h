// The batcher: one thread that drains the rings of a process's feeds and appends their records to the log as batches.
// Reads FeedRings, writes topic partitions. Order within a partition is ring order; a batch holds one record type and is
// closed when the type changes, when it is full, when it grows old, and whenever all rings are empty.
//
// Threads:    its own, from Start to Stop; everything else may be called from any thread.
// When full:  a log that is busy or out of disk is asked again until it takes; meanwhile the rings fill, and their policy
//             decides. Visible in stats().refusing. Only Stop gives records up, and counts them (lost).
#pragma once
#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "batch/output.h"
#include "batch/route.h"
#include "journal/log.h"
#include "model/instrument.h"
#include "ring/feed_ring.h"

namespace tw::batch {

struct BatcherOptions {
  std::size_t records_max = 256;                 // 1 … 4096.
  std::uint64_t age_max_ns = 1'000'000;          // An open batch is written at this age even while records keep coming.
  std::uint64_t origin = 0;                      // Process incarnation.
  std::function<std::uint64_t()> now = nullptr;  // Wall ns; null: this machine's.
};

class Batcher {
 public:
  Batcher(std::shared_ptr<journal::Log> log, std::shared_ptr<InstrumentTable> instruments, const BatcherOptions& options);
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // The topic must exist. False: *error says why. May be called while running, before the records it is for are pushed.
  bool AddRoute(const Route& route, std::string* error);
  // A ring for a feed. It is drained until it is detached and empty.
  std::shared_ptr<ring::FeedRing> Attach(const ring::FeedRingOptions& options);
  // The feed pushes no more: what is in the ring is still written.
  void Detach(const std::shared_ptr<ring::FeedRing>& ring);

  void Start();
  // Writes what the rings hold as long as the log takes it, then ends the thread. Idempotent.
  void Stop();

  const BatcherStats& stats() const { return stats_; }
  bool running() const { return running_.load(std::memory_order_acquire); }
  bool detached(const std::shared_ptr<ring::FeedRing>& ring) const;

 private:
  struct TopicOutputs {
    std::string topic;
    std::vector<std::unique_ptr<Output>> partitions;  // Made on first use.
    Placement placement;
  };
  struct Source {
    std::shared_ptr<ring::FeedRing> ring;
    std::vector<Output*> clock_outputs;
    std::unordered_set<Output*> clock_known;
    std::vector<std::uint32_t> listed;
    bool detached = false;
    std::uint64_t drained = 0;     // As of the last look…
    std::uint64_t drained_at = 0;  // …and when it last moved.
  };

  void Run();
  void Refresh();
  std::size_t DrainAll();
  void Take(Source& source, const Header* record, bool live);
  void Add(Output* output, const Header* record, bool live);
  void TakeClock(Source& source, const Header* record, bool live);
  void TakeGap(const Gap& gap, bool live);
  void AddListed(Source& source);
  void ListClocks(Source& source, std::uint32_t instrument_id);
  Output* OutputFor(std::uint8_t exchange, DataType type, std::uint32_t key_hash);
  Output* OutputOf(std::uint32_t instrument_id, DataType type);
  void FlushAged();
  void FlushAll();
  bool Idle() const;
  bool Pause(std::uint64_t ns);

  const std::shared_ptr<journal::Log> log_;
  const std::shared_ptr<InstrumentTable> instruments_;
  BatcherOptions options_;
  BatcherStats stats_;
  OutputContext context_;
  const std::shared_ptr<ring::WakeFlag> wake_ = std::make_shared<ring::WakeFlag>();

  // Batcher's thread.
  std::array<std::array<std::unique_ptr<TopicOutputs>, kDataTypeCount>, 256> routes_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<Output*> opened_;  // Outputs with an open batch, in the order they opened.
  std::uint64_t seen_version_ = 0;

  // Between threads.
  struct Change {
    std::unique_ptr<TopicOutputs> outputs;
    std::uint8_t exchange = 0;
    DataType type = DataType::kCount;
    std::shared_ptr<ring::FeedRing> attach;
    std::shared_ptr<ring::FeedRing> detach;
  };
  mutable std::mutex mutex_;
  std::vector<Change> changes_;
  std::vector<std::shared_ptr<ring::FeedRing>> attached_;
  std::atomic<std::uint64_t> version_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> running_{false};
  std::mutex pause_mutex_;
  std::condition_variable pause_;
  std::thread thread_;
};

}  // namespace tw::batch
