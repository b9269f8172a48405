#include "publish/tail.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "ring/wall_clock.h"
#include "wire/batch.h"

namespace tw::publish {
namespace {

constexpr std::int64_t kFurther = 8;            // Each look goes back this many times as far as the one before…
constexpr std::int64_t kMessagesMax = 128'000;  // …and no further: what is repeated then is dropped by readers.
constexpr int kPollMs = 50;
constexpr int kAnswerMs = 3000;

std::uint64_t HashOf(const void* record) {
  const std::size_t size = RecordSize(static_cast<const Header*>(record)->type);
  const auto* bytes = static_cast<const unsigned char*>(record);
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + i, 8);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
    hash ^= hash >> 29;
  }
  return hash;
}

bool IsKnownByBytes(RecordType type) { return !HasStream(type) || type == RecordType::kGap; }

struct Look {  // One partition while it is read.
  rd_kafka_topic_t* topic = nullptr;
  TailOf* of = nullptr;
  std::int64_t first = -1;  // Offset of the first message of this look; -1: none came.
  std::int64_t high = -1;   // The end when it came: what others write meanwhile is not ours. -1: not known yet.
  std::int64_t messages = 0;
  bool reading = false;
  bool again = false;  // Further back.
};

class Scan {
 public:
  Scan(rd_kafka_t* handle, std::span<TailOf> tails, std::int64_t messages, std::uint64_t deadline_ns,
       const std::function<bool()>& beat)
      : handle_(handle), queue_(rd_kafka_queue_new(handle)), deadline_ns_(deadline_ns), beat_(beat) {
    for (TailOf& of : tails) {
      Look look;
      look.topic = rd_kafka_topic_new(handle, of.topic.c_str(), nullptr);
      look.of = &of;
      look.messages = messages;
      looks_.push_back(look);
    }
  }
  ~Scan() {
    for (Look& look : looks_) {
      End(look);
      rd_kafka_topic_destroy(look.topic);
    }
    rd_kafka_queue_destroy(queue_);
  }

  bool Run(std::string* error) {
    if (!AskLeaders(error)) return false;
    for (Look& look : looks_) {
      if (!ReadFrom(look, error)) return false;
    }
    while (reading_ != 0) {
      if (!Going(error)) return false;
      std::array<rd_kafka_message_t*, 512> batch;
      const ssize_t count = rd_kafka_consume_batch_queue(queue_, kPollMs, batch.data(), batch.size());
      bool good = true;
      for (ssize_t i = 0; i < count; ++i) {
        good = good && Take(*batch[static_cast<std::size_t>(i)], error);
        rd_kafka_message_destroy(batch[static_cast<std::size_t>(i)]);
      }
      // Only now: what a batch still holds of the shorter look, its end above all, is not of the longer one.
      for (Look& look : looks_) good = good && (!std::exchange(look.again, false) || ReadFrom(look, error));
      if (!good) return false;
    }
    return true;
  }

 private:
  // First: librdkafka asks a partition without a known leader for its end again only half a second later.
  bool AskLeaders(std::string* error) {
    std::set<std::string_view> asked;
    for (const Look& look : looks_) {
      if (!asked.insert(look.of->topic).second) continue;
      if (!Going(error)) return false;
      const rd_kafka_metadata_t* metadata = nullptr;
      const rd_kafka_resp_err_t code = rd_kafka_metadata(handle_, 0, look.topic, &metadata, kAnswerMs);
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        *error = look.of->topic + ": the brokers do not tell its partitions: " + rd_kafka_err2str(code);
        return false;
      }
      rd_kafka_metadata_destroy(metadata);
    }
    return true;
  }

  bool Going(std::string* error) {
    if (!beat_()) return false;
    if (ring::ReadClockNs(CLOCK_MONOTONIC) < deadline_ns_) return true;
    if (error->empty()) *error = "the brokers did not give the end of the topics in time";
    return false;
  }

  bool ReadFrom(Look& look, std::string* error) {
    look.of->tail.Clear();
    look.first = look.high = -1;
    // The end is asked for by librdkafka, of all partitions at the same time.
    if (rd_kafka_consume_start_queue(look.topic, look.of->partition, RD_KAFKA_OFFSET_TAIL(look.messages), queue_) != 0) {
      *error =
          look.of->topic + " partition " + std::to_string(look.of->partition) + ": " + rd_kafka_err2str(rd_kafka_last_error());
      return false;
    }
    look.reading = true;
    ++reading_;
    return true;
  }

  void End(Look& look) {
    if (!look.reading) return;
    rd_kafka_consume_stop(look.topic, look.of->partition);
    look.reading = false;
    --reading_;
  }

  Look* Find(const rd_kafka_message_t& message) {
    if (message.rkt == nullptr) return nullptr;
    for (Look& look : looks_) {
      if (look.reading && look.of->partition == message.partition && look.of->topic == rd_kafka_topic_name(message.rkt))
        return &look;
    }
    return nullptr;
  }

  bool Take(const rd_kafka_message_t& message, std::string* error) {
    Look* look = Find(message);
    if (look == nullptr) return true;  // Of a look that has ended, or a connection's error: librdkafka goes on by itself.
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (look->first < 0) Enter(*look, message.offset);
      Learn(*look, message);
      if (look->high >= 0 && message.offset + 1 >= look->high) Finish(*look, look->high);
      return true;
    }
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      Finish(*look, message.offset);
      return true;
    }
    *error = look->of->topic + ": " + rd_kafka_message_errstr(&message);
    return message.err == RD_KAFKA_RESP_ERR__TRANSPORT;
  }

  void Learn(Look& look, const rd_kafka_message_t& message) {
    aligned_.resize((message.len + 7) / 8);
    if (message.len != 0) std::memcpy(aligned_.data(), message.payload, message.len);
    wire::BatchView batch;
    if (wire::BatchView::Parse({reinterpret_cast<const std::uint8_t*>(aligned_.data()), message.len}, &batch) !=
        wire::BatchError::kNone)
      return;
    for (std::uint32_t i = 0; i < batch.size(); ++i) look.of->tail.Learn(batch[i]);
  }

  void Enter(Look& look, std::int64_t offset) {
    std::int64_t low = -1;
    look.first = offset;
    rd_kafka_get_watermark_offsets(handle_, look.of->topic.c_str(), look.of->partition, &low, &look.high);
  }

  void Finish(Look& look, std::int64_t high) {
    End(look);
    const bool enough = !look.of->anchor.has_value() || look.of->tail.Reaches(*look.of->anchor);
    // Fewer than were asked for: there are no more.
    const bool all = look.first < 0 || high - look.first < look.messages;
    look.again = !enough && !all && look.messages < kMessagesMax;
    if (look.again) look.messages *= kFurther;
  }

  rd_kafka_t* handle_;
  rd_kafka_queue_t* queue_;
  std::vector<Look> looks_;
  std::vector<std::uint64_t> aligned_;
  std::uint64_t deadline_ns_;
  const std::function<bool()>& beat_;
  std::size_t reading_ = 0;
};

}  // namespace

void Tail::Learn(const void* record) {
  const auto* header = static_cast<const Header*>(record);
  if (IsKnownByBytes(header->type)) others_.insert(HashOf(record));
  if (!HasStream(header->type)) return;
  const StreamKey key = StreamOf(record);
  first_.try_emplace(key, header->position());
  cursors_[key].Accept(record);
}

bool Tail::IsNew(const void* record) {
  const auto* header = static_cast<const Header*>(record);
  if (IsKnownByBytes(header->type) && others_.contains(HashOf(record))) return false;
  return !HasStream(header->type) || cursors_[StreamOf(record)].Accept(record);
}

bool Tail::Reaches(const Anchor& anchor) const {
  const auto first = first_.find(anchor.stream);
  return first != first_.end() && first->second <= anchor.position;
}

void Tail::Clear() {
  cursors_.clear();
  first_.clear();
  others_.clear();
}

bool ReadTails(const kafka::Properties& properties, std::span<TailOf> tails, std::int64_t messages, std::uint32_t timeout_ms,
               const std::function<bool()>& beat, std::string* error) {
  if (tails.empty()) return true;
  kafka::Properties all = kafka::WithDefaults(properties);
  all["enable.partition.eof"] = "true";
  all["auto.offset.reset"] = "earliest";
  all["fetch.wait.max.ms"] = "20";
  const auto client = kafka::Client::Make(RD_KAFKA_CONSUMER, all, {}, error);
  if (client == nullptr) return false;
  const std::uint64_t deadline_ns = ring::ReadClockNs(CLOCK_MONOTONIC) + timeout_ms * 1'000'000ull;
  Scan scan(client->handle(), tails, messages, deadline_ns, beat);
  const bool done = scan.Run(error);
  if (!done && !error->empty() && !client->LastError().empty()) *error += " (" + client->LastError() + ")";
  return done;
}

}  // namespace tw::publish
