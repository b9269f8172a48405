// What turns the messages of one partition of the log into Kafka messages. The publisher's thread makes, calls and ends it.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "journal/log.h"
#include "publish/flight.h"
#include "publish/producer.h"

namespace tw::publish {

class Writer {
 public:
  enum class Result : std::uint8_t {
    kTaken,
    kWait,    // Not now: something it needs is not there yet.
    kFull,    // librdkafka's queue is full: again with the same message after acknowledgements.
    kFailed,  // The producer has to be replaced.
  };
  virtual ~Writer() = default;
  // Called again with the same message until it is taken.
  virtual Result Take(const journal::MessageView& message, std::uint64_t now_ns) = 0;
  // Sends what is held back, when it is due or `force`d.
  virtual Result Flush(std::uint64_t now_ns, bool force) = 0;
  // When Flush has something to do; 0: nothing is held back.
  virtual std::uint64_t due_ns() const = 0;
};

// A partition that is about to be written from.
struct LaneStart {
  std::string topic;
  std::uint32_t topic_index = 0;
  std::uint32_t partition = 0;
  std::uint32_t partitions = 0;    // Of the log's topic.
  std::uint64_t position = 0;      // The first offset that will be read.
  std::uint64_t end = 0;           // The log's end now: what is appended later cannot stand in Kafka yet.
  Flight* flight = nullptr;        // Outlives the writer.
  std::unique_ptr<Writer> writer;  // To be filled in.
};

// What kind of publisher it is: makes the writers.
class WriterFactory {
 public:
  virtual ~WriterFactory() = default;
  // Fills in every writer, or says why not: the publisher tries again. `beat` is called while it waits for brokers; false: give
  // up.
  virtual bool Make(Producer* producer, std::span<LaneStart> lanes, const std::function<bool()>& beat, std::string* error) = 0;
};

}  // namespace tw::publish
