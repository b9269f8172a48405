// The replicator: the local log, ingestion's outbox, on a Kafka cluster. Partition p of a topic becomes partition p of its Kafka
// topic, the records in the same order; an outage of the brokers is only a longer follow.
//
// After a crash it goes on at the committed position and leaves out what the tail of the Kafka partition shows to be there.
// Records whose acknowledgement was never seen by anybody may still stand twice; readers drop them by (epoch, seq).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "publish/publisher.h"

namespace tw::publish {

struct ReplicatorOptions {
  std::vector<std::string> topics;  // Of the log.
  ProducerOptions producer;
  std::string group = "tickwire-replicator";
  std::uint32_t records_max = 256;  // Of one Kafka message.
  std::uint32_t messages_per_s_max = 20'000;
  std::uint32_t commit_ms = 100;
  std::uint32_t stop_ms = 5000;
  std::function<std::uint64_t()> now_ns{};   // Null: CLOCK_MONOTONIC.
  std::function<std::uint64_t()> wall_ns{};  // ts_append; null: CLOCK_REALTIME.
};

std::unique_ptr<Publisher> MakeReplicator(std::shared_ptr<journal::Log> log, ReplicatorOptions options);

}  // namespace tw::publish
