// The consume loop: one native thread reads the assigned (or given) partitions of some topics into a slab of cells and
// tells its owner by one coalesced wake-up. With a group it beats, takes and gives up partitions.
//
// Reads:      partitions of the log. Writes: the slab, which its owner allocated and keeps alive while the loop lives.
// Threads:    Start makes the thread, Stop joins it; Drain, FreeCell, Released, Commit are for the owner's thread.
// When slow:  a partition has at most two cells in flight and the slab a fixed number; the thread waits until the owner
//             frees one. It never drops.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "journal/group.h"
#include "journal/log.h"

namespace tw::journal {

// Where to start or to stop on a partition.
struct Place {
  enum class Kind : std::uint8_t { kBegin, kEnd, kOffset, kTime, kPosition };
  Kind kind = Kind::kBegin;
  std::uint64_t value = 0;  // Offset, ts_recv, or epoch << 32 | seq.
};

struct ConsumeEvent {
  enum class Kind : std::uint8_t {
    kMessage = 0,
    kAssigned = 1,  // offset: where it starts.
    kRevoked = 2,   // Finish, commit, then Released().
    kLost = 3,      // Drop everything.
    kSkipped = 4,   // [offset, to_offset) is damaged.
    kExpired = 5,   // [offset, to_offset) was deleted by retention before it was read.
    kEnd = 6,       // Without `follow`: the partition is read to its limit.
    kFailed = 7,    // The partition cannot be read; status tells why.
  };
  Kind kind = Kind::kMessage;
  Status status = Status::kOk;
  tw::journal::Kind message_kind = tw::journal::Kind::kBatch;
  bool frees_cell = false;  // The last message of its cell.
  std::uint32_t topic = 0;
  std::uint32_t partition = 0;
  std::uint32_t count = 0;
  std::uint32_t cell = 0;
  std::uint64_t generation = 0;
  std::uint64_t offset = 0;
  std::uint64_t to_offset = 0;
  std::uint64_t position = 0;  // Of the value in the slab; the key lies right behind it.
  std::uint32_t value_size = 0;
  std::uint32_t key_size = 0;
  std::shared_ptr<std::vector<std::uint64_t>> large;  // Value and key of a message that fits no cell.
};

struct ConsumeOptions {
  struct Range {
    std::uint32_t topic = 0;
    std::uint32_t partition = 0;
    Place from;
    Place to{Place::Kind::kEnd, 0};
    bool follow = false;  // `to` does not count.
  };
  std::vector<std::string> topics;
  std::vector<Range> ranges;     // Without a group.
  std::unique_ptr<Group> group;  // With one: its topics are `topics`.
  Place from;                    // Where the group starts when it has committed nothing.
  std::uint32_t heartbeat_ms = 200;
  std::uint32_t hung_ms = 6'000;  // An owner that does not Drain for so long after a wake-up no longer beats.
  std::span<std::uint8_t> slab;  // 8-aligned.
  std::uint32_t cell_bytes = 256u << 10;
  std::function<void()> wake;  // Called by the thread, once until the next Drain.
};

class ConsumeLoop {
 public:
  ConsumeLoop(std::shared_ptr<Log> log, ConsumeOptions options);
  ~ConsumeLoop();
  ConsumeLoop(const ConsumeLoop&) = delete;
  ConsumeLoop& operator=(const ConsumeLoop&) = delete;

  void Start();
  void Stop();  // Leaves the group. Idempotent.

  // Takes what is ready, at most `limit`. The wake-up is armed again when everything was taken.
  std::size_t Drain(std::span<ConsumeEvent> out);
  void FreeCell(std::uint32_t cell);
  void Released(const Assignment& assignment);  // After kRevoked.
  Status Commit(const Assignment& assignment, std::uint64_t offset);
  Status Check(const Assignment& assignment) const;
  std::uint64_t EndOffset(std::uint32_t topic, std::uint32_t partition) const;
  std::uint32_t cells() const { return cells_; }

 private:
  struct Lane;  // One partition being read.

  void Run();
  void Beat();
  bool Open(Lane lane, const Place& from);  // False: not now.
  void OpenWaiting();
  bool Fill(Lane& lane);
  bool NextView(Lane& lane);
  void Push(ConsumeEvent event);  // In order; handed over by Flush.
  void Flush();
  ConsumeEvent EventOf(const Lane& lane, ConsumeEvent::Kind kind) const;
  void Poke();
  bool OwnerHangs(std::uint64_t now_ns) const;

  const std::shared_ptr<Log> log_;
  ConsumeOptions options_;
  const std::uint32_t cells_;
  std::unique_ptr<Waiter> waiter_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // The thread's, like pending_.
  std::vector<std::pair<Assignment, Place>> waiting_;  // Assigned, not open yet.
  std::vector<ConsumeEvent> pending_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> blocked_{false};  // A partition waits for a cell.
  std::uint64_t next_beat_ns_ = 0;
  std::uint32_t beats_ = 0;

  mutable std::mutex mutex_;  // What follows.
  std::deque<ConsumeEvent> ready_;
  bool woken_ = false;
  std::uint64_t woken_ns_ = 0;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> freed_;  // Cells the owner gave back; the thread books them.
  std::vector<Assignment> released_;
};

}  // namespace tw::journal
