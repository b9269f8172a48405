// The open views: topics of the engine for everybody else, under their plain names, keyed by symbol, one data record a message,
// in the partition that Kafka's own clients would choose: murmur2(symbol) mod the view's partitions.
//
// At least once: positions are committed after acknowledgement, and the event id inside tells a repeat.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "publish/publisher.h"
#include "publish/view_writer.h"

namespace tw::publish {

struct ViewTopic {
  std::string topic;  // Of the log, and of Kafka.
  ViewOptions options;
};

struct ViewPublisherOptions {
  std::vector<ViewTopic> views;
  ProducerOptions producer;
  std::string group = "tickwire-views";
  bool durable = false;
  std::uint32_t commit_ms = 100;
  std::uint32_t stop_ms = 5000;
  std::function<std::uint64_t()> now_ns{};  // Null: CLOCK_MONOTONIC.
};

std::unique_ptr<Publisher> MakeViewPublisher(std::shared_ptr<journal::Log> log, std::shared_ptr<InstrumentTable> instruments,
                                             ViewPublisherOptions options);

}  // namespace tw::publish
