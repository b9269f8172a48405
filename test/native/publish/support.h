// What the publishing tests share: librdkafka's mock cluster, a log with records in it, and everything that stands in a topic.
#pragma once
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "journal/log.h"
#include "kafka/client.h"
#include "model/record.h"
#include "wire/batch.h"

namespace tw::publish {

inline bool Until(const std::function<bool()>& condition, int seconds = 60) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tw-publish-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Stored {  // A message as it stands in a topic.
  std::int32_t partition = 0;
  std::int64_t timestamp_ms = 0;
  std::string key;
  bool tombstone = false;
  bool opaque = false;
  std::vector<std::uint64_t> bytes;  // Aligned.
  std::size_t size = 0;
  std::span<const std::uint8_t> value() const { return {reinterpret_cast<const std::uint8_t*>(bytes.data()), size}; }
  std::string text() const { return {reinterpret_cast<const char*>(bytes.data()), size}; }
};

class MockCluster {
 public:
  explicit MockCluster(int brokers = 3) {
    char reason[256];
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), reason, sizeof reason);
    cluster_ = rd_kafka_mock_cluster_new(handle_, brokers);
  }
  ~MockCluster() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(handle_);
  }
  rd_kafka_mock_cluster_t* operator*() const { return cluster_; }
  std::string bootstrap() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  kafka::Properties properties() const { return {{"bootstrap.servers", bootstrap()}}; }
  void MakeTopic(const std::string& name, int partitions) { rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, 3); }

  // All that stands in a topic now, partition after partition.
  std::vector<Stored> ReadAll(const std::string& topic, int partitions) const {
    std::string error;
    kafka::Properties properties = this->properties();
    properties["enable.partition.eof"] = "true";
    properties["fetch.wait.max.ms"] = "10";
    const auto client = kafka::Client::Make(RD_KAFKA_CONSUMER, kafka::WithDefaults(properties), {}, &error);
    EXPECT_NE(client, nullptr) << error;
    rd_kafka_topic_t* handle = rd_kafka_topic_new(client->handle(), topic.c_str(), nullptr);
    std::vector<Stored> all;
    for (int partition = 0; partition < partitions; ++partition) {
      rd_kafka_consume_start(handle, partition, RD_KAFKA_OFFSET_BEGINNING);
      for (bool more = true; more;) {
        rd_kafka_message_t* message = rd_kafka_consume(handle, partition, 1000);
        if (message == nullptr) continue;
        more = message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) all.push_back(Copy(*message));
        rd_kafka_message_destroy(message);
      }
      rd_kafka_consume_stop(handle, partition);
    }
    rd_kafka_topic_destroy(handle);
    return all;
  }

 private:
  static Stored Copy(const rd_kafka_message_t& message) {
    Stored stored;
    stored.partition = message.partition;
    stored.timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
    if (message.key != nullptr) stored.key.assign(static_cast<const char*>(message.key), message.key_len);
    stored.tombstone = message.payload == nullptr;
    stored.size = message.len;
    stored.bytes.resize((message.len + 7) / 8);
    if (message.len != 0) std::memcpy(stored.bytes.data(), message.payload, message.len);
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const void* value = nullptr;
      std::size_t size = 0;
      stored.opaque = rd_kafka_header_get_last(headers, "tw-kind", &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR && size == 1 &&
                      *static_cast<const char*>(value) == 'o';
    }
    return stored;
  }

  rd_kafka_t* handle_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

inline std::shared_ptr<journal::Log> OpenLog(const std::string& path) {
  std::string error;
  std::shared_ptr<journal::Log> log = journal::Log::Open(path, {}, &error);
  EXPECT_NE(log, nullptr) << error;
  return log;
}

inline void MakeTopic(journal::Log& log, const std::string& name, std::uint32_t partitions, bool compact = false) {
  journal::TopicOptions options;
  options.name = name;
  options.partitions = partitions;
  options.segment_bytes = 4 << 20;
  options.compact = compact;
  std::string error;
  ASSERT_EQ(log.EnsureTopic(options, &error), journal::Status::kOk) << error;
}

inline constexpr std::uint32_t kEpoch = 1'700'000'000;
inline constexpr std::uint64_t kFirstNs = static_cast<std::uint64_t>(kEpoch) * 1'000'000'000ull;

inline Trade TradeOf(std::uint32_t instrument, std::uint32_t seq) {
  Trade trade{};
  trade.header.ts_event = kFirstNs + seq * 1'000'000ull;
  trade.header.ts_recv = trade.header.ts_event + 1000;
  trade.header.seq = seq;
  trade.header.epoch = kEpoch;
  trade.header.instrument_id = instrument;
  trade.header.type = RecordType::kTrade;
  trade.price = 100'000 + seq;
  trade.size = seq;
  trade.trade_id = seq;
  trade.fills = 1;
  trade.side = Side::kBuy;
  return trade;
}

template <class Record>
void AppendBatch(journal::Appender& appender, const std::vector<Record>& records, std::uint64_t origin = 1) {
  wire::BatchBuilder builder;
  builder.Begin(records.front().header.type, origin);
  for (const Record& record : records) ASSERT_TRUE(builder.Add(&record));
  journal::Appender::Message message;
  message.value = builder.Finish(kFirstNs);
  message.count = builder.count();
  message.ts_recv = builder.info().ts_recv_first;
  message.ts_recv_max = builder.ts_recv_max();
  message.position_max = builder.position_max();
  ASSERT_EQ(appender.Append(message).status, journal::Status::kOk);
}

inline std::unique_ptr<journal::Appender> AppenderOf(journal::Log& log, const std::string& topic, std::uint32_t partition) {
  journal::Status status = journal::Status::kOk;
  auto appender = log.OpenAppender(topic, partition, &status);
  EXPECT_NE(appender, nullptr) << journal::StatusName(status);
  return appender;
}

// Trades of two instruments a partition, in batches of `records`: numbers first_seq … first_seq + count - 1 of each.
inline void AppendTrades(journal::Log& log, const std::string& topic, std::uint32_t partitions, std::uint32_t first_seq,
                         std::uint32_t count, std::uint32_t records = 5) {
  for (std::uint32_t partition = 0; partition < partitions; ++partition) {
    const auto appender = AppenderOf(log, topic, partition);
    std::vector<Trade> batch;
    for (std::uint32_t seq = first_seq; seq < first_seq + count; ++seq) {
      batch.push_back(TradeOf(100 + 2 * partition, seq));
      batch.push_back(TradeOf(101 + 2 * partition, seq));
      if (batch.size() < records && seq + 1 != first_seq + count) continue;
      AppendBatch(*appender, batch);
      batch.clear();
    }
  }
}

// (epoch, seq) of every record of each instrument, in the order of the topic.
inline std::map<std::uint32_t, std::vector<std::uint32_t>> SeqsOf(const std::vector<Stored>& messages) {
  std::map<std::uint32_t, std::vector<std::uint32_t>> seqs;
  for (const Stored& message : messages) {
    wire::BatchView batch;
    EXPECT_EQ(wire::BatchView::Parse(message.value(), &batch), wire::BatchError::kNone);
    for (std::uint32_t i = 0; i < batch.size(); ++i) seqs[batch[i]->instrument_id].push_back(batch[i]->seq);
  }
  return seqs;
}

// Every number from 1 to `last`, once and in order, of every instrument of the partitions.
inline void ExpectWhole(const std::vector<Stored>& messages, std::uint32_t partitions, std::uint32_t last) {
  const auto seqs = SeqsOf(messages);
  ASSERT_EQ(seqs.size(), 2 * partitions);
  for (const auto& [instrument, numbers] : seqs) {
    ASSERT_EQ(numbers.size(), last) << "instrument " << instrument;
    for (std::uint32_t i = 0; i < last; ++i) ASSERT_EQ(numbers[i], i + 1) << "instrument " << instrument;
  }
}

}  // namespace tw::publish
