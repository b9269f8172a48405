// The ring of one feed with its overflow policy: the sink of a session on one side, drained by the batcher on the other.
//
// Threads:    Push and Flush on the feed's thread, Drain on the batcher's; counters are read by anyone.
// When full:  block     Push sleeps until the batcher makes room; nothing is lost (replay).
//             drop      Push answers false; the session counts it and leaves one exact gap record (live).
//             conflate  quotes, tickers and depth: the newest per stream waits here and follows when there is room, behind a
//                       gap record (conflated) with the exact count of those it replaced. Other types: as drop.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "feed/session.h"
#include "model/stream.h"
#include "ring/histogram.h"
#include "ring/spsc_ring.h"
#include "ring/wake.h"

namespace tw::ring {

enum class Policy : std::uint8_t { kBlock = 1, kDrop = 2, kConflate = 3 };

// A counter that one thread moves and others read.
class Counter {
 public:
  void Add(std::uint64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct FeedRingOptions {
  Policy policy = Policy::kDrop;
  std::size_t slots = 65'536;
  bool live = false;             // ts_recv is this machine's wall time, so that latencies mean something.
  std::uint32_t data_types = 0;  // Bits of batch::DataType this feed writes: where its clocks go. 0: all that are routed.
};

class FeedRing final : public feed::RecordSink {
 public:
  FeedRing(const FeedRingOptions& options, std::shared_ptr<WakeFlag> consumer);

  // Feed's thread.
  bool Push(const void* record, std::size_t size) override;
  // After a frame: what waits goes out if there is room, and the batcher learns of it.
  void Flush();
  void set_policy(Policy policy) { options_.policy = policy; }
  // An instrument this feed may write: its clocks go to that instrument's partitions. Before the first record of it.
  void List(std::uint32_t instrument_id);
  // Conflated records that still wait.
  std::size_t waiting() const { return waiting_.size(); }

  // Batcher's thread.
  template <class Take>
  std::size_t Drain(std::size_t limit, Take&& take) {
    const std::size_t taken = ring_.Drain(limit, take);
    if (taken != 0) {
      drained_.Add(taken);
      if (want_space_.exchange(0, std::memory_order_acq_rel) != 0) FutexWake(&want_space_);
    }
    return taken;
  }
  // Ids listed since the last call.
  std::vector<std::uint32_t> TakeListed();
  bool HasListed() const { return listed_count_.load(std::memory_order_acquire) != 0; }
  std::uint64_t drained() const { return drained_.value(); }
  void MarkFlushed() { flushed_.store(drained_.value(), std::memory_order_release); }
  // Nobody drains any more: a blocked Push returns false.
  void Close();

  // Any thread.
  bool empty() const { return ring_.depth() == 0; }
  std::size_t depth() const { return ring_.depth(); }
  std::size_t capacity() const { return ring_.capacity(); }
  // Everything pushed so far has been handed to the log.
  bool flushed() const { return flushed_.load(std::memory_order_acquire) == pushed_.value(); }
  const FeedRingOptions& options() const { return options_; }
  std::uint64_t pushed() const { return pushed_.value(); }
  std::uint64_t refused() const { return refused_.value(); }
  std::uint64_t conflated() const { return conflated_.value(); }
  std::uint64_t blocked() const { return blocked_.value(); }  // Times Push slept.
  std::uint64_t depth_max() const { return depth_max_.load(std::memory_order_relaxed); }
  const Histogram& latency() const { return latency_; }  // ts_recv to the batcher; live feeds only.
  Histogram& latency() { return latency_; }

 private:
  struct Held {
    bool waits = false;
    std::uint64_t first_missing = 0;  // position() of the first replaced record; its epoch is the held one's.
    std::uint64_t count = 0;          // Replaced records.
    std::uint64_t ts_first = 0;       // ts_event of the first replaced one.
    std::vector<Gap> older;           // Of epochs that ended while it waited.
    alignas(8) std::uint8_t record[kRecordSizeMax];
  };
  bool TryPush(const void* record, std::size_t size);
  bool PushBlocking(const void* record, std::size_t size);
  bool PushConflating(const void* record, std::size_t size);
  void Hold(Held& held, const void* record, std::size_t size);
  bool FlushHeld();
  bool FlushHeld(Held& held);
  static Gap ConflatedGap(const Held& held);

  FeedRingOptions options_;
  SpscRing ring_;
  std::shared_ptr<WakeFlag> consumer_;
  std::size_t unannounced_ = 0;
  std::unordered_map<StreamKey, Held, StreamKeyHash> held_;
  std::vector<Held*> waiting_;  // In the order they began to wait.
  Counter pushed_, refused_, conflated_, blocked_;
  std::atomic<std::uint64_t> depth_max_{0};

  alignas(kLineSize) std::atomic<std::uint32_t> want_space_{0};
  std::atomic<bool> closed_{false};
  Counter drained_;
  std::atomic<std::uint64_t> flushed_{0};
  Histogram latency_;
  std::mutex listed_mutex_;
  std::vector<std::uint32_t> listed_;
  std::atomic<std::size_t> listed_count_{0};
};

}  // namespace tw::ring
