#include "publish/producer.h"

#include <pthread.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <utility>

#include "kafka/names.h"
#include "ring/wall_clock.h"

namespace tw::publish {
namespace {

constexpr int kPollMs = 100;
constexpr int kAskMs = 750;
constexpr int kAsks = 4;
constexpr int kIdPollMs = 20;
constexpr int kIdAsksMax = 10;
constexpr std::uint32_t kAgesMax = 8;  // Of the records of a message.

}  // namespace

kafka::Properties ProducerProperties(const ProducerOptions& options) {
  const bool throughput = options.profile == Profile::kThroughput;
  kafka::Properties all = {
      {"acks", "all"},
      {"enable.idempotence", "true"},
      // A message in the middle that the brokers refuse ends the producer: what comes behind it must not overtake it.
      {"enable.gapless.guarantee", "true"},
      {"message.timeout.ms", "0"},
      {"max.in.flight.requests.per.connection", "5"},
      {"compression.codec", options.compression},
      {"linger.ms", throughput ? "10" : "0"},
      {"message.max.bytes", "67108864"},
      {"batch.size", throughput ? "32768" : "1000000"},
      {"queue.buffering.max.messages", std::to_string(options.queue_messages)},
      {"queue.buffering.max.kbytes", std::to_string(options.queue_kbytes)},
      {"request.timeout.ms", "3000"},
      {"statistics.interval.ms", std::to_string(options.statistics_ms)},
  };
  for (const auto& [name, value] : options.properties) all[name] = value;
  return kafka::WithDefaults(all);
}

void ProducerCounters::Error(const std::string& name, const std::string& reason) {
  const std::lock_guard lock(mutex);
  ++errors[name];
  last_error = reason;
}

std::unique_ptr<Producer> Producer::Make(const ProducerOptions& options, ProducerCounters* counters,
                                         std::function<std::uint64_t()> now_ns, std::function<void()> on_ack,
                                         std::string* error) {
  std::unique_ptr<Producer> producer(new Producer);
  producer->counters_ = counters;
  producer->now_ns_ = std::move(now_ns);
  producer->wall_ns_ = options.wall_ns ? options.wall_ns : [] { return ring::ReadClockNs(CLOCK_REALTIME); };
  producer->on_ack_ = std::move(on_ack);
  Producer* self = producer.get();
  // Everything comes as an event of one queue: callbacks are not called for what can be one.
  producer->client_ = kafka::Client::Make(RD_KAFKA_PRODUCER, ProducerProperties(options), {}, error, [](rd_kafka_conf_t* conf) {
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_STATS | RD_KAFKA_EVENT_ERROR);
  });
  if (producer->client_ == nullptr) return nullptr;
  counters->producers.fetch_add(1);
  producer->reports_ = rd_kafka_queue_get_main(producer->handle());
  producer->thread_ = std::thread([self] { self->TakeReports(); });
  return producer;
}

Producer::~Producer() {
  stopping_.store(true);
  if (thread_.joinable()) {
    rd_kafka_queue_yield(reports_);
    thread_.join();
  }
  if (client_ == nullptr) return;
  // Without this, destroying waits for brokers that are away.
  rd_kafka_purge(handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
  for (const auto& [name, topic] : topics_) rd_kafka_topic_destroy(topic->handle);
  if (reports_ != nullptr) rd_kafka_queue_destroy(reports_);
  client_.reset();
}

Topic* Producer::TopicOf(const std::string& name) {
  auto& topic = topics_[name];
  if (topic == nullptr) {
    topic = std::make_unique<Topic>();
    rd_kafka_topic_conf_t* conf = rd_kafka_default_topic_conf_dup(handle());
    rd_kafka_topic_conf_set_opaque(conf, topic.get());
    topic->handle = rd_kafka_topic_new(handle(), name.c_str(), conf);
  }
  return topic.get();
}

Producer::Sent Producer::Send(const Message& message, Parcel* parcel) {
  if (failed()) return Sent::kFailed;
  auto& proof = message.topic->proofs[static_cast<std::size_t>(std::min(message.partition, Topic::kPartitionsMax - 1))];
  const std::uint8_t proven = proof.load(std::memory_order_acquire);
  if (proven == Topic::kUnderWay) return Sent::kFull;
  std::array<rd_kafka_vu_t, 8> fields;
  std::size_t count = 0;
  const auto add = [&](rd_kafka_vtype_t type) -> auto& {
    fields[count].vtype = type;
    return fields[count++].u;
  };
  add(RD_KAFKA_VTYPE_RKT).rkt = message.topic->handle;
  add(RD_KAFKA_VTYPE_PARTITION).i32 = message.partition;
  add(RD_KAFKA_VTYPE_MSGFLAGS).i = RD_KAFKA_MSG_F_COPY;
  add(RD_KAFKA_VTYPE_OPAQUE).ptr = parcel;
  if (message.ts_recv != 0) add(RD_KAFKA_VTYPE_TIMESTAMP).i64 = static_cast<std::int64_t>(message.ts_recv / 1'000'000);
  if (!message.key.empty()) add(RD_KAFKA_VTYPE_KEY).mem = {const_cast<char*>(message.key.data()), message.key.size()};
  if (!message.tombstone) add(RD_KAFKA_VTYPE_VALUE).mem = {const_cast<std::uint8_t*>(message.value.data()), message.value.size()};
  if (message.opaque) add(RD_KAFKA_VTYPE_HEADER).header = {kafka::kKindHeader, kafka::kKindOpaque, 1};

  if (parcel->ts_recv == 0) parcel->ts_recv = message.ts_recv;
  const std::uint64_t newest = std::max(message.ts_recv, message.ts_recv_max);
  if (newest > parcel->ts_recv_max.load(std::memory_order_relaxed)) parcel->ts_recv_max.store(newest, std::memory_order_relaxed);

  // Before the call: the report may come while it still runs.
  if (proven == Topic::kNone) proof.store(Topic::kUnderWay, std::memory_order_release);
  parcel->pieces.fetch_add(1, std::memory_order_relaxed);
  Count(sent_);
  // tw-acks sleeps until something was sent.
  if (sent_.load(std::memory_order_relaxed) == 1) rd_kafka_queue_yield(reports_);
  rd_kafka_error_t* error = rd_kafka_produceva(handle(), fields.data(), count);
  if (error == nullptr) {
    Count(counters_->messages);
    Count(counters_->bytes, message.key.size() + message.value.size());
    return Sent::kOk;
  }
  if (proven == Topic::kNone) proof.store(Topic::kNone, std::memory_order_release);
  // Never the last piece: the parcel's own is still there.
  parcel->pieces.fetch_sub(1, std::memory_order_relaxed);
  sent_.store(sent_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  const std::string reason = rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return Sent::kFull;
  Fail(rd_kafka_err2name(code), std::string(rd_kafka_topic_name(message.topic->handle)) + " partition " +
                                    std::to_string(message.partition) + ": " + reason);
  return Sent::kFailed;
}

void Producer::Fail(const std::string& name, const std::string& reason) {
  counters_->Error(name, reason);
  failed_.store(true, std::memory_order_release);
}

void Producer::Report(const rd_kafka_message_t* message, std::uint64_t now_ns, std::uint64_t wall_ns, bool* acknowledged) {
  Count(reported_);
  auto* parcel = static_cast<Parcel*>(message->_private);
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    Count(counters_->failed);
    // The parcel stays: the position does not pass it. What a fatal error purges comes after its cause was told.
    if (!failed())
      Fail(rd_kafka_err2name(message->err),
           std::string(rd_kafka_topic_name(message->rkt)) + ": " + rd_kafka_err2str(message->err));
    return;
  }
  *acknowledged = true;
  auto& proof = static_cast<Topic*>(rd_kafka_topic_opaque(message->rkt))
                    ->proofs[static_cast<std::size_t>(std::min(message->partition, Topic::kPartitionsMax - 1))];
  if (proof.load(std::memory_order_relaxed) != Topic::kProven) proof.store(Topic::kProven, std::memory_order_release);
  Count(counters_->acknowledged);
  // It may be gone when it is acknowledged.
  const std::uint64_t sent_ns = parcel->sent_ns;
  const std::uint64_t ts_recv = parcel->ts_recv;
  const std::uint64_t ts_recv_max = parcel->ts_recv_max.load(std::memory_order_relaxed);
  const std::uint32_t records = parcel->records;
  if (!parcel->flight->Acknowledge(parcel, now_ns)) return;
  counters_->ack_ns.Add(now_ns > sent_ns ? now_ns - sent_ns : 0);
  CountAges(wall_ns > ts_recv ? wall_ns - ts_recv : 0, wall_ns > ts_recv_max ? wall_ns - ts_recv_max : 0, records);
}

void Producer::CountAges(std::uint64_t first_ns, std::uint64_t last_ns, std::uint32_t records) {
  const std::uint32_t steps = std::min(records, kAgesMax);
  for (std::uint32_t i = 0; i < steps; ++i) {
    const std::uint64_t apart_ns = first_ns > last_ns ? (first_ns - last_ns) / steps : 0;
    counters_->age_ns.Add(first_ns - i * apart_ns - apart_ns / 2, records / steps + (i < records % steps ? 1 : 0));
  }
}

void Producer::TakeReports() {
  pthread_setname_np(pthread_self(), "tw-acks");
  int asks = 0;
  while (!stopping_.load(std::memory_order_acquire)) {
    const bool first =
        asks < kIdAsksMax && sent_.load(std::memory_order_acquire) != 0 && reported_.load(std::memory_order_relaxed) == 0;
    rd_kafka_event_t* event = rd_kafka_queue_poll(reports_, first ? kIdPollMs : kPollMs);
    if (event == nullptr) {
      if (first) {
        ++asks;
        AskForId();
      }
      continue;
    }
    switch (rd_kafka_event_type(event)) {
      case RD_KAFKA_EVENT_DR: TakeReport(event); break;
      case RD_KAFKA_EVENT_STATS: TakeStatistics(rd_kafka_event_stats(event)); break;
      case RD_KAFKA_EVENT_ERROR: TakeError(event); break;
      default: break;
    }
    rd_kafka_event_destroy(event);
  }
}

// librdkafka asks for the producer's id when metadata comes, and otherwise every half second: with a connection that came up just
// behind its metadata, the first message would wait that long.
void Producer::AskForId() {
  const rd_kafka_metadata_t* metadata = nullptr;
  if (rd_kafka_metadata(handle(), 0, nullptr, &metadata, kIdPollMs) == RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_metadata_destroy(metadata);
}

void Producer::TakeReport(rd_kafka_event_t* event) {
  const std::uint64_t now_ns = now_ns_();
  const std::uint64_t wall_ns = wall_ns_();
  bool acknowledged = false;
  while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) Report(message, now_ns, wall_ns, &acknowledged);
  if (acknowledged && !failed()) {
    const std::lock_guard lock(counters_->mutex);
    counters_->last_error.clear();
  }
  on_ack_();
}

// Brokers that are away come back: only a fatal error ends the producer.
void Producer::TakeError(rd_kafka_event_t* event) {
  const rd_kafka_resp_err_t code = rd_kafka_event_error(event);
  const std::string reason = rd_kafka_event_error_string(event);
  if (rd_kafka_event_error_is_fatal(event) != 0) {
    Fail(rd_kafka_err2name(code), reason);
    on_ack_();
    return;
  }
  const std::lock_guard lock(counters_->mutex);
  ++counters_->errors[rd_kafka_err2name(code)];
  // "All brokers down" follows the reason and says less.
  if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || counters_->last_error.empty()) counters_->last_error = reason;
}

// Means over all topics, weighted by how many batches each had.
void Producer::TakeStatistics(const char* json) {
  simdjson::dom::parser parser;
  simdjson::dom::object topics;
  if (parser.parse(std::string(json)).at_key("topics").get(topics) != simdjson::SUCCESS) return;
  std::uint64_t batches = 0;
  std::uint64_t bytes = 0;
  std::uint64_t messages = 0;
  for (const auto& [name, topic] : topics) {
    std::uint64_t count = 0;
    std::uint64_t size = 0;
    std::uint64_t records = 0;
    if (topic["batchsize"]["cnt"].get(count) != simdjson::SUCCESS || topic["batchsize"]["sum"].get(size) != simdjson::SUCCESS ||
        topic["batchcnt"]["sum"].get(records) != simdjson::SUCCESS) {
      continue;
    }
    batches += count;
    bytes += size;
    messages += records;
  }
  if (batches == 0) return;
  counters_->batch_bytes.store(bytes / batches, std::memory_order_relaxed);
  counters_->batch_messages.store(messages / batches, std::memory_order_relaxed);
}

std::uint32_t PartitionsOf(rd_kafka_t* handle, const Topic& topic, const std::function<bool()>& beat, std::string* error) {
  const rd_kafka_metadata_t* metadata = nullptr;
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
  // The call cannot be interrupted: short ones, so that the owner may stop between them.
  for (int i = 0; i < kAsks && code != RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    if (!beat()) return 0;
    code = rd_kafka_metadata(handle, 0, topic.handle, &metadata, kAskMs);
  }
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    *error =
        std::string(rd_kafka_topic_name(topic.handle)) + ": the brokers do not tell its partitions: " + rd_kafka_err2str(code);
    return 0;
  }
  std::uint32_t partitions = 0;
  if (metadata->topic_cnt == 1) {
    const rd_kafka_metadata_topic_t& found = metadata->topics[0];
    partitions = found.err == RD_KAFKA_RESP_ERR_NO_ERROR ? static_cast<std::uint32_t>(found.partition_cnt) : 0;
    if (partitions == 0) *error = std::string(found.topic) + ": " + rd_kafka_err2str(found.err) + "; fix: tickwire topics apply";
  }
  rd_kafka_metadata_destroy(metadata);
  return partitions;
}

}  // namespace tw::publish
