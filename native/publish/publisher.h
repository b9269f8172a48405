// One thread that follows partitions of a log as a member of a consumer group and hands their messages to writers, which produce
// them to Kafka. What is acknowledged is committed.
//
// Reads:      topics of the log. Writes: Kafka, the group's positions.
// Threads:    one of its own, under the name it is given, and the producer's "tw-acks". Stop joins both.
// When slow:  a partition has at most kParcelsMax parcels in flight and librdkafka's queue is bounded: then the log is not read,
// lag
//             grows, nothing is dropped. While brokers are away it is `blocked` and goes on by itself.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "journal/group.h"
#include "journal/log.h"
#include "publish/producer.h"
#include "publish/writer.h"
#include "ring/wake.h"

namespace tw::publish {

// In flight of one partition, and as many again between two commits: after a crash at most twice this number of its messages
// stand in Kafka behind the committed position. The tail scan counts on it.
inline constexpr std::uint32_t kParcelsMax = 1000;

enum class State : std::uint8_t { kStopped = 0, kRunning = 1, kBlocked = 2 };

struct PublisherOptions {
  std::vector<std::string> topics;
  std::string group;
  bool durable = false;  // Retention waits for the group.
  std::string thread_name;
  ProducerOptions producer;
  std::uint32_t commit_ms = 100;
  std::uint32_t stop_ms = 5000;             // How long Stop waits for what is on its way.
  std::function<std::uint64_t()> now_ns{};  // Null: CLOCK_MONOTONIC.
};

struct TopicLag {
  std::string topic;
  std::uint64_t lag = 0;         // Offsets of the log that are not acknowledged.
  std::uint32_t in_flight = 0;   // Parcels.
  std::uint32_t partitions = 0;  // Ours.
};

struct PublisherStats {
  State state = State::kStopped;
  std::string error;  // Why it is blocked, or the last thing that went wrong since the last acknowledgement.
  std::uint64_t messages = 0;
  std::uint64_t records = 0;  // In the messages.
  std::uint64_t bytes = 0;
  std::uint64_t acknowledged = 0;  // Messages.
  std::uint64_t in_flight = 0;     // Messages.
  std::uint64_t failed = 0;        // Messages told to be undeliverable and sent again.
  std::uint64_t repeats = 0;       // Records left out because they stand in Kafka already.
  std::uint64_t unknown_instrument = 0;
  std::uint64_t bad = 0;           // Messages that are no readable batch, left out.
  std::uint64_t lost_offsets = 0;  // Damaged or deleted before they were read.
  std::uint64_t producers = 0;
  std::uint64_t batch_bytes = 0;
  std::uint64_t batch_messages = 0;
  std::uint64_t ack_ns_p50 = 0;
  std::uint64_t ack_ns_p99 = 0;
  std::uint64_t age_ns_p50 = 0;
  std::uint64_t age_ns_p99 = 0;
  std::map<std::string, std::uint64_t> errors;
  std::vector<TopicLag> topics;
};

// Counted by writers on the publisher's thread, read by any.
struct WriterCounters {
  std::atomic<std::uint64_t> records{0};
  std::atomic<std::uint64_t> repeats{0};
  std::atomic<std::uint64_t> unknown_instrument{0};
  std::atomic<std::uint64_t> bad{0};
};

class Publisher {
 public:
  Publisher(std::shared_ptr<journal::Log> log, PublisherOptions options, std::shared_ptr<WriterCounters> counters,
            std::unique_ptr<WriterFactory> factory);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // Empty: running. Otherwise what is wrong with the options or the log; brokers may be away.
  std::string Start();
  // Commits what was acknowledged and leaves the group; before that, to `drain`, sends what stands in the log and waits for its
  // acknowledgement up to stop_ms. Idempotent. Start and Stop may come from different threads.
  void Stop(bool drain = true);
  PublisherStats stats() const;

 private:
  struct Lane;

  void Run();
  void Beat(std::uint64_t now_ns);
  void Apply();
  bool Recover(std::uint64_t now_ns);
  void DropProducer();
  bool OpenWaiting(std::uint64_t now_ns);
  bool Turn(Lane& lane, std::uint64_t now_ns);
  void Close(Lane& lane, std::uint64_t now_ns);
  void Drain(std::uint64_t deadline_ns);
  void Commit(Lane& lane);
  void CommitDue(std::uint64_t now_ns, bool all);
  void Wait(std::uint32_t ticket, std::uint64_t round_ns, std::uint64_t now_ns);
  void Publish();
  std::uint64_t Now() const { return options_.now_ns(); }

  const std::shared_ptr<journal::Log> log_;
  PublisherOptions options_;
  const std::shared_ptr<WriterCounters> writer_counters_;
  const std::unique_ptr<WriterFactory> factory_;
  ProducerCounters counters_;
  std::unique_ptr<journal::Waiter> waiter_;
  std::mutex control_;  // Of Start and Stop.
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> drains_{true};
  ring::WakeFlag wake_;  // Acknowledgements came, or Stop was called.

  // The thread's.
  std::unique_ptr<journal::Group> group_;
  journal::Group::Changes changes_;
  std::unique_ptr<Producer> producer_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<std::unique_ptr<Flight>> retired_;  // Of lanes that are gone: acknowledgements may still come.
  std::uint64_t next_beat_ns_ = 0;
  std::uint64_t next_commit_ns_ = 0;
  std::uint64_t retry_ns_ = 0;  // Not before: brokers said no.
  std::uint32_t beats_ = 0;
  bool full_ = false;  // In this round: something waits for acknowledgements.
  std::uint64_t lost_offsets_ = 0;
  std::string blocked_;  // Why lanes cannot be opened; empty: they are.

  mutable std::mutex mutex_;
  PublisherStats published_;
};

}  // namespace tw::publish
