// The idempotent producer of the replicator and the open views: acks=all, explicit partitions, delivery reports in bulk.
//
// Reads:      what Send is given; keys and values are copied. Writes: Kafka.
// Threads:    Send belongs to one thread. "tw-acks", made here, takes delivery reports and completes parcels.
// When slow:  librdkafka's queue is bounded in messages and bytes; Send answers kFull and has taken nothing.
// On failure: a message is never given up while the producer lives. What cannot be delivered at all (a fatal error, a message
// that
//             the brokers refuse) makes it `failed`: the owner makes a new one and sends again from the acknowledged position.
#pragma once
#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "kafka/client.h"
#include "publish/flight.h"
#include "ring/histogram.h"

namespace tw::publish {

enum class Profile : std::uint8_t { kThroughput = 0, kLatency = 1 };

struct ProducerOptions {
  kafka::Properties properties;  // bootstrap.servers, security; a name given here wins over the profile.
  Profile profile = Profile::kThroughput;
  std::string compression = "snappy";
  // Few enough to stay in the processor's cache until they are sent, which halves the work of a small one. What waits longer waits in
  // the log.
  std::uint32_t queue_messages = 20'000;
  std::uint32_t queue_kbytes = 256u << 10;
  std::uint32_t statistics_ms = 1000;
  std::function<std::uint64_t()> wall_ns{};  // The age of records when they are acknowledged; null: CLOCK_REALTIME.
};

// librdkafka's properties for these options.
kafka::Properties ProducerProperties(const ProducerOptions& options);

// A topic of one producer. A broker that has nothing from a producer accepts any sequence number: were the first request of a
// partition refused and the second accepted, the first would be lost. So the first message goes alone, and is the proof that
// guards the others.
struct Topic {
  static constexpr std::int32_t kPartitionsMax = 4096;
  enum Proof : std::uint8_t { kNone = 0, kUnderWay = 1, kProven = 2 };

  rd_kafka_topic_t* handle = nullptr;
  std::array<std::atomic<std::uint8_t>, kPartitionsMax> proofs{};
};

struct Message {
  Topic* topic = nullptr;
  std::int32_t partition = 0;
  std::string_view key{};
  std::span<const std::uint8_t> value{};
  bool tombstone = false;         // No value at all: deletes the key from a compacted topic.
  bool opaque = false;            // Header tw-kind = o: not a batch.
  std::uint64_t ts_recv = 0;      // Kafka's timestamp, in its milliseconds; 0: the time of sending.
  std::uint64_t ts_recv_max = 0;  // Of its newest record, when it has several.
};

// A counter that one thread writes and any reads: no locked instruction.
inline void Count(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

// Counted since the publisher was made; they survive the change of a producer. What the sender writes and what tw-acks writes lie
// on lines of their own: at a message per record the two would hand one line back and forth.
struct ProducerCounters {
  alignas(64) std::atomic<std::uint64_t> messages{0};
  std::atomic<std::uint64_t> bytes{0};                     // Keys and values.
  alignas(64) std::atomic<std::uint64_t> acknowledged{0};  // Messages.
  std::atomic<std::uint64_t> failed{0};                    // Messages that were told to be undeliverable, to be sent again.
  std::atomic<std::uint64_t> batch_bytes{0};  // Mean of librdkafka's batches at its last statistics: kafka_producer_batch_size.
  std::atomic<std::uint64_t> batch_messages{0};
  std::atomic<std::uint64_t> producers{0};      // How often one was made.
  ring::Histogram ack_ns;                       // Send of a parcel to the acknowledgement of all of it.
  ring::Histogram age_ns;                       // The same from ts_recv of its records, taken as evenly spread.
  mutable std::mutex mutex;                     // What follows.
  std::map<std::string, std::uint64_t> errors;  // By librdkafka's name of the error.
  std::string last_error;                       // Since the last acknowledgement; empty: none.

  void Error(const std::string& name, const std::string& reason);
};

class Producer {
 public:
  // kFull: the queue is full, or the partition's first message is not acknowledged yet.
  enum class Sent : std::uint8_t { kOk, kFull, kFailed };

  // Null: *error says why. `on_ack` is called on tw-acks after each round of delivery reports.
  static std::unique_ptr<Producer> Make(const ProducerOptions& options, ProducerCounters* counters,
                                        std::function<std::uint64_t()> now_ns, std::function<void()> on_ack, std::string* error);
  // Joins tw-acks. Messages without an acknowledgement are dropped: their parcels are never completed, and may be freed
  // afterwards.
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  Topic* TopicOf(const std::string& name);
  rd_kafka_t* handle() const { return client_->handle(); }
  // Adds a piece to the parcel when the message was taken.
  Sent Send(const Message& message, Parcel* parcel);
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  std::uint32_t in_flight() const {
    const std::uint64_t reported = reported_.load(std::memory_order_relaxed);
    return static_cast<std::uint32_t>(sent_.load(std::memory_order_relaxed) - reported);
  }

 private:
  Producer() = default;
  void TakeReports();
  void AskForId();
  void TakeReport(rd_kafka_event_t* event);
  void TakeError(rd_kafka_event_t* event);
  void Report(const rd_kafka_message_t* message, std::uint64_t now_ns, std::uint64_t wall_ns, bool* acknowledged);
  void CountAges(std::uint64_t first_ns, std::uint64_t last_ns, std::uint32_t records);
  void Fail(const std::string& name, const std::string& reason);
  void TakeStatistics(const char* json);

  ProducerCounters* counters_ = nullptr;
  std::function<std::uint64_t()> now_ns_;
  std::function<std::uint64_t()> wall_ns_;
  std::function<void()> on_ack_;
  std::unique_ptr<kafka::Client> client_;
  std::map<std::string, std::unique_ptr<Topic>> topics_;
  rd_kafka_queue_t* reports_ = nullptr;
  std::atomic<bool> failed_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
  alignas(64) std::atomic<std::uint64_t> sent_{0};      // Messages; the sender's.
  alignas(64) std::atomic<std::uint64_t> reported_{0};  // The same of tw-acks.
};

// Partitions of a topic as the brokers tell it; 0: *error says why. Asks for some seconds, calling `beat`; false from it: give
// up.
std::uint32_t PartitionsOf(rd_kafka_t* handle, const Topic& topic, const std::function<bool()>& beat, std::string* error);

}  // namespace tw::publish
