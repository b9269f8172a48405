// What Kafka's control plane is asked and answers, as plain values. Mirrors the types of src/native/kafka.ts.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tw::kafka {

// Why a call, or one item of it, was not done. False: it was.
struct Failure {
  std::string code;  // Kafka's name, TOPIC_ALREADY_EXISTS; the client's own start with an underscore.
  std::string text;
  explicit operator bool() const { return !code.empty(); }
};

struct Outcome {
  std::string name;
  Failure failure;
};

struct Broker {
  std::int32_t id = 0;
  std::string host;
  std::uint16_t port = 0;
};

struct ClusterInfo {
  std::string id;
  std::int32_t controller = -1;
  std::vector<Broker> brokers;
};

struct PartitionState {
  std::int32_t partition = 0;
  std::int32_t leader = -1;  // -1: none.
  std::vector<std::int32_t> replicas;
  std::vector<std::int32_t> isr;
};

struct TopicInfo {
  std::string name;
  std::string id;  // Base64, as Kafka prints it.
  bool is_internal = false;
  std::vector<PartitionState> partitions;  // In the order of their numbers.
};

struct ConfigEntry {
  std::string name;
  std::optional<std::string> value;  // nullopt: the broker keeps it to itself.
  bool is_default = true;            // Not set on the topic (of a broker: Kafka's own value).
};

struct ResourceConfig {
  std::string name;
  std::vector<ConfigEntry> entries;
};

struct NewTopic {
  std::string name;
  std::int32_t partitions = 1;
  std::int32_t replication_factor = -1;  // -1: the broker's default.
  std::map<std::string, std::string> config;
};

struct PartitionTotal {
  std::string name;
  std::int32_t partitions = 1;
};

struct TopicConfig {
  std::string name;
  std::map<std::string, std::string> config;
};

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

struct PartitionOffset {
  TopicPartition at;
  std::int64_t offset = 0;
};

struct OffsetRange {
  TopicPartition at;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

struct GroupListing {
  std::string group;
  std::string state;
  std::string type;  // classic or consumer (KIP-848).
};

struct GroupMember {
  std::string id;
  std::string client_id;
  std::string host;
  std::optional<std::string> instance_id;
  std::vector<TopicPartition> assignment;
};

struct GroupInfo {
  std::string group;
  std::string state;
  std::string type;
  std::string assignor;
  std::int32_t coordinator = -1;
  std::vector<GroupMember> members;
};

}  // namespace tw::kafka
