#include "kafka/reader.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

#include "journal/waiting.h"
#include "kafka/names.h"
#include "wire/batch.h"

namespace tw::kafka {
namespace {

using journal::MessageView;
using journal::Status;

constexpr std::size_t kPulledMax = 1'024;
constexpr std::uint32_t kJoinedMax = 4'096;  // Single records that make one batch.
constexpr int kTimeoutMs = 2'000;
constexpr auto kLeaderTurn = std::chrono::milliseconds(20);
constexpr auto kUnknownMax = std::chrono::seconds(15);  // A partition that is said not to be there may have been made just now.
constexpr std::uint64_t kNsPerMs = 1'000'000;
// A message's time is its first record's; its newest may be so much later (the batcher closes batches long before).
constexpr std::uint64_t kSpanMaxMs = 2'000;
// An epoch is about the second in which its session began, and never so far behind its records' ts_recv.
constexpr std::uint64_t kEpochBeforeMs = 3'600'000;

std::uint64_t TsRecvMax(const MessageView& view) {
  wire::BatchView batch;
  std::uint64_t newest = view.ts_recv_max;
  if (view.kind != journal::Kind::kBatch || wire::BatchView::Parse(view.value, &batch) != wire::BatchError::kNone) return newest;
  for (std::uint32_t i = 0; i < batch.size(); ++i) newest = std::max(newest, batch[i]->ts_recv);
  return newest;
}

class KafkaReader final : public journal::Reader {
 public:
  KafkaReader(std::shared_ptr<FetcherPool> pool, std::shared_ptr<FetcherPool::Fetcher> fetcher, std::string topic, std::uint32_t partition,
              bool exact)
      : pool_(std::move(pool)), fetcher_(std::move(fetcher)), topic_(std::move(topic)), partition_(partition), exact_(exact) {
    rkt_ = rd_kafka_topic_new(rk(), topic_.c_str(), nullptr);
    queue_ = rd_kafka_queue_new(rk());
    rd_kafka_queue_cb_event_enable(queue_, [](rd_kafka_t*, void* hub) { static_cast<WakeHub*>(hub)->Bump(); }, &pool_->hub());
    pulled_.reserve(kPulledMax);
  }
  ~KafkaReader() override {
    StopFetch();
    rd_kafka_queue_cb_event_enable(queue_, nullptr, nullptr);
    rd_kafka_queue_destroy(queue_);
    rd_kafka_topic_destroy(rkt_);
    pool_->Release(fetcher_.get(), topic_, partition_);
  }

  Status Open() {
    Status status = Bounds();
    position_ = begin_;
    if (status == Status::kOk && !pool_->Knows(fetcher_.get(), topic_, partition_)) {
      status = AwaitLeader();
      if (status == Status::kOk) pool_->Know(fetcher_.get(), topic_, partition_);
    }
    return status;
  }

  Status Next(MessageView* out) override {
    if (held_) {
      held_ = false;
      *out = view_;
      position_ = view_.offset + view_.count;
      return Status::kOk;
    }
    for (;;) {
      if (!fetching_ && !StartFetch()) return Status::kIoError;
      if (at_ == pulled_.size() && !Pull()) {
        if (unknown_since_.has_value() && std::chrono::steady_clock::now() - *unknown_since_ > kUnknownMax) return Status::kIoError;
        return end_offset() > position_ ? Status::kPending : Status::kEnd;
      }
      rd_kafka_message_t* message = pulled_[at_];
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++at_;
        const Status status = OnEvent(*message);
        if (status != Status::kOk) return status;
        continue;
      }
      unknown_since_.reset();
      if (static_cast<std::uint64_t>(message->offset) < position_) {  // Kafka answers with the whole record batch.
        ++at_;
        continue;
      }
      if (exact_ && IsRecord(*message)) {
        Join(&view_);
      } else {
        ++at_;
        See(*message, &view_);
      }
      position_ = view_.offset + view_.count;
      *out = view_;
      return Status::kOk;
    }
  }

  const Skip& skip() const override { return skip_; }
  std::uint64_t position() const override { return position_; }

  Status SeekOffset(std::uint64_t offset) override {
    held_ = false;
    StopFetch();
    position_ = offset;
    return Status::kOk;
  }

  // Kafka knows the first record's time of each message; the newest one's is looked at here.
  Status SeekTime(std::uint64_t ts_recv) override {
    const std::uint64_t ms = ts_recv / kNsPerMs;
    Status status = SeekMs(ms > kSpanMaxMs ? ms - kSpanMaxMs : 0);
    if (status != Status::kOk) return status;
    MessageView view;
    for (;;) {
      status = journal::NextWithin(this, &view);
      if (status == Status::kEnd) return Status::kOk;
      if (status == Status::kExpired || status == Status::kSkipped) continue;
      if (status != Status::kOk) return status;
      if (TsRecvMax(view) < ts_recv) continue;
      position_ = view.offset;
      held_ = true;
      return Status::kOk;
    }
  }

  Status SeekPosition(std::uint64_t position) override {
    const std::uint64_t epoch_ms = (position >> 32) * 1'000;
    return SeekMs(epoch_ms > kEpochBeforeMs ? epoch_ms - kEpochBeforeMs : 0);
  }

  std::uint64_t begin_offset() const override { return begin_; }
  std::uint64_t end_offset() const override {
    std::int64_t low = 0;
    std::int64_t high = 0;
    if (rd_kafka_get_watermark_offsets(rk(), topic_.c_str(), static_cast<std::int32_t>(partition_), &low, &high) ==
            RD_KAFKA_RESP_ERR_NO_ERROR &&
        high > 0) {
      return std::max(end_, static_cast<std::uint64_t>(high));
    }
    return end_;
  }

 private:
  rd_kafka_t* rk() const { return fetcher_->client->handle(); }

  Status Bounds() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kTimeoutMs);
    std::vector<OffsetRange> ranges;
    for (;;) {
      const Failure failure = pool_->admin()->Offsets({{topic_, static_cast<std::int32_t>(partition_)}}, kTimeoutMs, &ranges);
      if (!failure && !ranges.empty()) break;
      // The topic is there, or it would not be opened: a partition made just now is denied for a moment.
      if (std::chrono::steady_clock::now() >= until) return failure.code.find("UNKNOWN") != std::string::npos ? Status::kNotFound : Status::kIoError;
      std::this_thread::sleep_for(kLeaderTurn);
    }
    begin_ = static_cast<std::uint64_t>(ranges[0].begin);
    end_ = static_cast<std::uint64_t>(ranges[0].end);
    return Status::kOk;
  }

  // This client may not have heard of the partition, and would ask again only after seconds: a fetch begins when it knows the leader.
  Status AwaitLeader() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kTimeoutMs);
    for (;;) {
      const struct rd_kafka_metadata* told = nullptr;
      if (rd_kafka_metadata(rk(), 0, rkt_, &told, kTimeoutMs) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        bool has_leader = false;
        for (int i = 0; told->topic_cnt == 1 && i < told->topics[0].partition_cnt; ++i) {
          const rd_kafka_metadata_partition& each = told->topics[0].partitions[i];
          has_leader = has_leader || (each.id == static_cast<std::int32_t>(partition_) && each.leader >= 0);
        }
        rd_kafka_metadata_destroy(told);
        if (has_leader) return Status::kOk;
      }
      if (std::chrono::steady_clock::now() >= until) return Status::kIoError;
      std::this_thread::sleep_for(kLeaderTurn);
    }
  }

  Status SeekMs(std::uint64_t ms) {
    // The end first: what comes between the two answers is behind the place, not before it.
    const Status status = Bounds();
    if (status != Status::kOk) return status;
    std::vector<PartitionOffset> found;
    const Failure failure = pool_->admin()->OffsetsAt({{topic_, static_cast<std::int32_t>(partition_)}}, static_cast<std::int64_t>(ms),
                                                      kTimeoutMs, &found);
    if (failure || found.empty()) return Status::kIoError;
    return SeekOffset(found[0].offset < 0 ? end_ : static_cast<std::uint64_t>(found[0].offset));
  }

  bool StartFetch() {
    fetching_ = rd_kafka_consume_start_queue(rkt_, static_cast<std::int32_t>(partition_), static_cast<std::int64_t>(position_), queue_) == 0;
    return fetching_;
  }

  void StopFetch() {
    FreePulled();
    if (!fetching_) return;
    fetching_ = false;
    rd_kafka_consume_stop(rkt_, static_cast<std::int32_t>(partition_));
    while (Pull()) FreePulled();  // What came before the stop.
  }

  void FreePulled() {
    for (rd_kafka_message_t* message : pulled_) rd_kafka_message_destroy(message);
    pulled_.clear();
    at_ = 0;
  }

  bool Pull() {
    FreePulled();
    pulled_.resize(kPulledMax);
    const ssize_t count = rd_kafka_consume_batch_queue(queue_, 0, pulled_.data(), pulled_.size());
    pulled_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return !pulled_.empty();
  }

  // kOk: go on.
  Status OnEvent(const rd_kafka_message_t& message) {
    switch (message.err) {
      case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        // Offsets of markers and of what compaction took may stand before it.
        if (message.offset >= 0) position_ = std::max(position_, static_cast<std::uint64_t>(message.offset));
        return Status::kOk;
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: return OnOutOfRange();
      case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        if (!unknown_since_.has_value()) unknown_since_ = std::chrono::steady_clock::now();
        return Status::kOk;
      case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED: return Status::kIoError;
      case RD_KAFKA_RESP_ERR__BAD_MSG:
      case RD_KAFKA_RESP_ERR__BAD_COMPRESSION: return Status::kIoError;
      default: return Status::kOk;  // librdkafka tries again by itself.
    }
  }

  // Retention was faster, or the position lies behind the end: a topic made anew, a leader that lost its tail.
  Status OnOutOfRange() {
    const std::uint64_t wanted = position_;
    StopFetch();
    const Status status = Bounds();
    if (status != Status::kOk) return status;
    if (wanted >= begin_ && wanted <= end_) return Status::kOk;
    position_ = begin_;
    // Behind the end everything may be new: repeating is allowed, skipping is not.
    if (wanted > end_) return Status::kOk;
    skip_ = {wanted, begin_, topic_ + "/" + std::to_string(partition_), 0};
    return Status::kExpired;
  }

  void See(const rd_kafka_message_t& message, MessageView* view) {
    *view = {};
    view->offset = static_cast<std::uint64_t>(message.offset);
    view->count = 1;
    view->kind = KindOf(message);
    view->key = {static_cast<const char*>(message.key), message.key == nullptr ? 0 : message.key_len};
    view->value = Aligned(static_cast<const std::uint8_t*>(message.payload), message.payload == nullptr ? 0 : message.len);
    view->ts_recv = view->ts_recv_max = TimeOf(message);
  }

  static std::uint64_t TimeOf(const rd_kafka_message_t& message) {
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const std::int64_t ms = rd_kafka_message_timestamp(&message, &type);
    return ms < 0 ? 0 : static_cast<std::uint64_t>(ms) * kNsPerMs;
  }

  journal::Kind KindOf(const rd_kafka_message_t& message) const {
    if (exact_ || message.payload == nullptr) return journal::Kind::kOpaque;
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return journal::Kind::kBatch;
    const void* value = nullptr;
    std::size_t size = 0;
    if (rd_kafka_header_get_last(headers, kKindHeader, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) return journal::Kind::kBatch;
    return std::string_view(static_cast<const char*>(value), size) == kKindOpaque ? journal::Kind::kOpaque : journal::Kind::kBatch;
  }

  std::span<const std::uint8_t> Aligned(const std::uint8_t* bytes, std::size_t size) {
    if (reinterpret_cast<std::uintptr_t>(bytes) % 8 == 0) return {bytes, size};
    if (aligned_.size() * 8 < size) aligned_.resize((size + 7) / 8);
    std::memcpy(aligned_.data(), bytes, size);
    return {reinterpret_cast<const std::uint8_t*>(aligned_.data()), size};
  }

  static RecordType TypeOf(const rd_kafka_message_t& message) {
    return static_cast<RecordType>(static_cast<const std::uint8_t*>(message.payload)[offsetof(Header, type)]);
  }
  static bool IsRecord(const rd_kafka_message_t& message) {
    return message.payload != nullptr && message.len >= sizeof(Header) && message.len == RecordSize(TypeOf(message));
  }

  // Single records of one type that stand one behind the other make one batch: a handler is called once for all of them.
  void Join(MessageView* view) {
    const RecordType type = TypeOf(*pulled_[at_]);
    const std::uint64_t time = TimeOf(*pulled_[at_]);
    const auto first = static_cast<std::uint64_t>(pulled_[at_]->offset);
    std::uint64_t last = first;
    joined_.Begin(type, 0);
    while (at_ < pulled_.size()) {
      const rd_kafka_message_t& message = *pulled_[at_];
      if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR || !IsRecord(message) || TypeOf(message) != type || !joined_.Add(message.payload)) break;
      last = static_cast<std::uint64_t>(message.offset);
      ++at_;
    }
    *view = {};
    view->offset = first;
    view->count = static_cast<std::uint32_t>(last - first + 1);
    view->kind = journal::Kind::kBatch;
    view->value = joined_.Finish(time);
    view->ts_recv = time;
    view->ts_recv_max = joined_.ts_recv_max();
  }

  const std::shared_ptr<FetcherPool> pool_;
  const std::shared_ptr<FetcherPool::Fetcher> fetcher_;
  const std::string topic_;
  const std::uint32_t partition_;
  const bool exact_;
  rd_kafka_topic_t* rkt_ = nullptr;
  rd_kafka_queue_t* queue_ = nullptr;
  bool fetching_ = false;
  std::uint64_t position_ = 0;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  std::optional<std::chrono::steady_clock::time_point> unknown_since_;  // The brokers deny the partition.
  bool held_ = false;  // `view_` was looked at by a seek and is the next one.
  MessageView view_;
  Skip skip_;
  std::vector<rd_kafka_message_t*> pulled_;
  std::size_t at_ = 0;
  std::vector<std::uint64_t> aligned_;
  wire::BatchBuilder joined_{kJoinedMax};
};

}  // namespace

std::unique_ptr<journal::Reader> OpenReader(std::shared_ptr<FetcherPool> pool, const std::string& topic, std::uint32_t partition,
                                            bool exact, Status* status) {
  std::string error;
  auto fetcher = pool->Take(topic, partition, &error);
  if (fetcher == nullptr) {
    *status = Status::kIoError;
    return nullptr;
  }
  auto reader = std::make_unique<KafkaReader>(std::move(pool), std::move(fetcher), topic, partition, exact);
  *status = reader->Open();
  if (*status != Status::kOk) return nullptr;
  return reader;
}

}  // namespace tw::kafka
