// Kafka's control plane: topics, configurations, offsets and groups, on librdkafka's admin API.
//
// Reads and writes: the cluster that the properties name; connects at the first call.
// Threads:   an Admin is thread-safe; each call blocks its caller for at most timeout_ms, so none belongs on an event loop.
// When away: a call waits for the cluster until its time is over and answers with the reason; a refused password ends it at
//            once. Cancel() ends every call that waits.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kafka/admin_types.h"
#include "kafka/client.h"

namespace tw::kafka {

class Admin {
 public:
  // Null: *error names the property and why.
  static std::unique_ptr<Admin> Make(const Properties& properties, std::string* error);
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  // Each call: a Failure that is false when *out is filled. Calls over several items fail as a whole when they could not be
  // sent, and answer per item otherwise.
  Failure Cluster(int timeout_ms, ClusterInfo* out);

  Failure TopicNames(int timeout_ms, std::vector<std::string>* out);
  // A name that is not there is left out. No names: nothing.
  Failure Topics(const std::vector<std::string>& names, int timeout_ms, std::vector<TopicInfo>* out);
  Failure TopicConfigs(const std::vector<std::string>& names, int timeout_ms, std::vector<ResourceConfig>* out);
  Failure BrokerConfig(std::int32_t broker, int timeout_ms, std::vector<ConfigEntry>* out);
  Failure CreateTopics(const std::vector<NewTopic>& topics, bool validate_only, int timeout_ms, std::vector<Outcome>* out);
  // To `partitions` in all; Kafka refuses to go down.
  Failure CreatePartitions(const std::vector<PartitionTotal>& topics, bool validate_only, int timeout_ms,
                           std::vector<Outcome>* out);
  // Sets these entries and leaves the others.
  Failure AlterTopicConfigs(const std::vector<TopicConfig>& topics, int timeout_ms, std::vector<Outcome>* out);
  Failure DeleteTopics(const std::vector<std::string>& names, int timeout_ms, std::vector<Outcome>* out);

  // First and next offset of each. Fails when one of them is not there.
  Failure Offsets(const std::vector<TopicPartition>& partitions, int timeout_ms, std::vector<OffsetRange>* out);
  // Of the first message at or after the time (ms); -1 when there is none.
  Failure OffsetsAt(const std::vector<TopicPartition>& partitions, std::int64_t time_ms, int timeout_ms,
                    std::vector<PartitionOffset>* out);

  Failure Groups(int timeout_ms, std::vector<GroupListing>* out);
  Failure DescribeGroups(const std::vector<std::string>& groups, int timeout_ms, std::vector<GroupInfo>* out);
  // Partitions without a commit are left out.
  Failure Committed(const std::string& group, int timeout_ms, std::vector<PartitionOffset>* out);
  // Only while the group has no members. One outcome per partition, named topic/partition.
  Failure AlterCommitted(const std::string& group, const std::vector<PartitionOffset>& offsets, int timeout_ms,
                         std::vector<Outcome>* out);
  Failure DeleteGroups(const std::vector<std::string>& groups, int timeout_ms, std::vector<Outcome>* out);

  // Calls that wait, and all later ones, answer _DESTROY.
  void Cancel() { cancelled_ = true; }

  struct Errors;  // What the client told beside its answers.

 private:
  friend class AdminCall;  // admin_call.h
  Admin() = default;

  std::unique_ptr<Client> NewClient(rd_kafka_type_t type, const Properties& properties, std::string* error) const;
  Client* ConsumerFor(const std::string& group, std::string* error);

  std::atomic<bool> cancelled_ = false;
  Properties properties_;
  std::shared_ptr<Errors> errors_;
  std::unique_ptr<Client> client_;
  std::mutex consumer_mutex_;
  std::unique_ptr<Client> consumer_;  // Made by the first call that needs it, then kept.
};

}  // namespace tw::kafka
