#include "kafka/appender.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <chrono>
#include <condition_variable>
#include <vector>

#include "kafka/names.h"

namespace tw::kafka {
namespace {

using journal::Status;

constexpr auto kAck = std::chrono::milliseconds(4'000);
// Of a record batch around one message: its header, the record's own, ours.
constexpr std::uint64_t kOverheadBytes = 256;
constexpr std::uint64_t kNsPerMs = 1'000'000;

// One message under way; librdkafka holds a share of it until the report came.
struct Delivery {
  std::mutex mutex;
  std::condition_variable done;
  bool reported = false;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::int64_t offset = 0;
};
using Share = std::shared_ptr<Delivery>;

void OnReport(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  const std::unique_ptr<Share> share(static_cast<Share*>(message->_private));
  if (share == nullptr) return;
  Delivery& delivery = **share;
  {
    const std::lock_guard lock(delivery.mutex);
    delivery.reported = true;
    delivery.error = message->err;
    delivery.offset = message->offset;
  }
  delivery.done.notify_all();
}

Status StatusOf(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: return Status::kOk;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE: return Status::kTooLarge;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: return Status::kNotFound;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS: return Status::kBusy;
    default: return Status::kIoError;
  }
}

class KafkaAppender final : public journal::Appender {
 public:
  KafkaAppender(std::shared_ptr<Producer> producer, std::string topic, std::uint32_t partition, std::uint64_t message_bytes_max)
      : producer_(std::move(producer)), topic_(std::move(topic)), partition_(partition), message_bytes_max_(message_bytes_max) {}

  journal::AppendResult Append(const Message& message) override { return Append(std::span(&message, 1)); }

  journal::AppendResult Append(std::span<const Message> messages) override {
    const std::uint64_t hash = HashOf(messages);
    const auto client = producer_->client();
    if (client == nullptr) return {Status::kIoError, 0};
    // Of a client that was replaced no report comes any more.
    if (under_way_.empty() || hash != under_way_hash_ || client != sent_by_) {
      under_way_.clear();
      sent_by_ = client;
      for (const Message& message : messages) {
        if (message_bytes_max_ != 0 && message.value.size() + message.key.size() + kOverheadBytes > message_bytes_max_) {
          return {Status::kTooLarge, 0};
        }
      }
      for (const Message& message : messages) {
        const Status status = Send(message);
        if (status != Status::kOk) return {status, 0};
      }
      under_way_hash_ = hash;
    }
    return Await();
  }

  // What is acknowledged is on min.insync.replicas brokers: there is nothing more to ask for.
  Status Sync() override { return Status::kOk; }

 private:
  static std::uint64_t HashOf(std::span<const Message> messages) {
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    for (const Message& message : messages) {
      XXH3_64bits_update(&state, &message.kind, sizeof message.kind);
      XXH3_64bits_update(&state, message.key.data(), message.key.size());
      XXH3_64bits_update(&state, "\0", 1);
      XXH3_64bits_update(&state, message.value.data(), message.value.size());
    }
    return XXH3_64bits_digest(&state);
  }

  Status Send(const Message& message) {
    auto share = std::make_unique<Share>(std::make_shared<Delivery>());
    const Share mine = *share;
    rd_kafka_vu_t parts[8];
    std::size_t used = 0;
    auto add = [&]() -> rd_kafka_vu_t& { return parts[used++]; };
    auto& topic = add();
    topic.vtype = RD_KAFKA_VTYPE_TOPIC;
    topic.u.cstr = topic_.c_str();
    auto& partition = add();
    partition.vtype = RD_KAFKA_VTYPE_PARTITION;
    partition.u.i32 = static_cast<std::int32_t>(partition_);
    auto& flags = add();
    flags.vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    flags.u.i = RD_KAFKA_MSG_F_COPY;
    auto& value = add();
    value.vtype = RD_KAFKA_VTYPE_VALUE;
    // No value takes a key away from a compacted topic, as an empty one does in the embedded log.
    value.u.mem = {const_cast<std::uint8_t*>(message.value.empty() ? nullptr : message.value.data()), message.value.size()};
    auto& time = add();
    time.vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    time.u.i64 = static_cast<std::int64_t>(message.ts_recv / kNsPerMs);
    auto& opaque = add();
    opaque.vtype = RD_KAFKA_VTYPE_OPAQUE;
    opaque.u.ptr = share.get();
    if (!message.key.empty()) {
      auto& key = add();
      key.vtype = RD_KAFKA_VTYPE_KEY;
      key.u.mem = {const_cast<char*>(message.key.data()), message.key.size()};
    }
    if (message.kind == journal::Kind::kOpaque) {
      auto& header = add();
      header.vtype = RD_KAFKA_VTYPE_HEADER;
      header.u.header = {kKindHeader, kKindOpaque, 1};
    }
    rd_kafka_error_t* refused = rd_kafka_produceva(sent_by_->handle(), parts, used);
    if (refused != nullptr) {
      const rd_kafka_resp_err_t error = rd_kafka_error_code(refused);
      rd_kafka_error_destroy(refused);
      return StatusOf(error);
    }
    share.release();  // The report frees it.
    under_way_.push_back(mine);
    return Status::kOk;
  }

  journal::AppendResult Await() {
    journal::AppendResult result{Status::kOk, 0};
    const auto until = std::chrono::steady_clock::now() + kAck;
    for (std::size_t i = 0; i < under_way_.size(); ++i) {
      Delivery& delivery = *under_way_[i];
      std::unique_lock lock(delivery.mutex);
      if (!delivery.done.wait_until(lock, until, [&] { return delivery.reported; })) return {Status::kBusy, 0};
      if (delivery.error != RD_KAFKA_RESP_ERR_NO_ERROR && result.status == Status::kOk) result.status = StatusOf(delivery.error);
      if (i == 0) result.offset = static_cast<std::uint64_t>(delivery.offset);
    }
    under_way_.clear();
    return result;
  }

  const std::shared_ptr<Producer> producer_;
  const std::string topic_;
  const std::uint32_t partition_;
  const std::uint64_t message_bytes_max_;
  std::shared_ptr<Client> sent_by_;
  std::vector<Share> under_way_;
  std::uint64_t under_way_hash_ = 0;
};

}  // namespace

std::shared_ptr<Producer> Producer::Make(const Properties& properties, ClientEvents events, std::string* error) {
  std::shared_ptr<Producer> producer(new Producer(properties, std::move(events)));
  producer->client_ = producer->MakeClient(error);
  if (producer->client_ == nullptr) return nullptr;
  producer->thread_ = std::thread([raw = producer.get()] { raw->Poll(); });
  return producer;
}

std::shared_ptr<Client> Producer::MakeClient(std::string* error) {
  Properties properties = properties_;
  const Properties producing = {
      {"acks", "all"},
      {"enable.idempotence", "true"},
      {"compression.codec", "snappy"},
      {"linger.ms", "0"},
      // Whoever appends asks again; nothing is given up behind its back in a shorter outage.
      {"message.timeout.ms", "120000"},
      {"message.max.bytes", "67108864"},
      {"queue.buffering.max.kbytes", "65536"},
  };
  for (const auto& [name, value] : producing) properties.emplace(name, value);
  return Client::Make(RD_KAFKA_PRODUCER, properties, events_, error, [](rd_kafka_conf_t* conf) { rd_kafka_conf_set_dr_msg_cb(conf, OnReport); });
}

std::shared_ptr<Client> Producer::client() {
  const std::lock_guard lock(mutex_);
  if (client_ != nullptr && rd_kafka_fatal_error(client_->handle(), nullptr, 0) == RD_KAFKA_RESP_ERR_NO_ERROR) return client_;
  if (client_ != nullptr) {
    // Whoever waits is told to try again, on the new one.
    rd_kafka_purge(client_->handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_poll(client_->handle(), 0);
  }
  std::string ignored;
  client_ = MakeClient(&ignored);
  return client_;
}

void Producer::Poll() {
  while (!stopping_.load()) {
    std::shared_ptr<Client> client;
    {
      const std::lock_guard lock(mutex_);
      client = client_;
    }
    if (client != nullptr) rd_kafka_poll(client->handle(), 100);
  }
}

Producer::~Producer() {
  stopping_.store(true);
  if (thread_.joinable()) thread_.join();
  if (client_ == nullptr) return;
  // Nobody waits for these any more; their reports free what they hold.
  rd_kafka_purge(client_->handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client_->handle(), 1'000);
}

std::unique_ptr<journal::Appender> MakeAppender(std::shared_ptr<Producer> producer, std::string topic, std::uint32_t partition,
                                                std::uint64_t message_bytes_max) {
  return std::make_unique<KafkaAppender>(std::move(producer), std::move(topic), partition, message_bytes_max);
}

}  // namespace tw::kafka
