// Topics and their configuration.
#include <algorithm>
#include <array>
#include <utility>

#include "kafka/admin_call.h"
#include "kafka/admin_list.h"

namespace tw::kafka {
namespace {

template <class Results>
std::vector<Outcome> OutcomesOf(const Results* results, std::size_t count) {
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i < count; ++i) {
    outcomes.push_back({rd_kafka_topic_result_name(results[i]),
                        FailureOf(rd_kafka_topic_result_error(results[i]), rd_kafka_topic_result_error_string(results[i]))});
  }
  return outcomes;
}

std::vector<std::int32_t> IdsOf(const rd_kafka_Node_t** nodes, std::size_t count) {
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(rd_kafka_Node_id(nodes[i]));
  return ids;
}

// As Kafka prints it: the alphabet for file names and addresses, no padding.
std::string IdOf(const rd_kafka_Uuid_t* id) {
  std::string text = id == nullptr ? "" : rd_kafka_Uuid_base64str(id);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  text.erase(std::min(text.find('='), text.size()));
  return text;
}

TopicInfo InfoOf(const rd_kafka_TopicDescription_t* topic) {
  TopicInfo info{rd_kafka_TopicDescription_name(topic),
                 IdOf(rd_kafka_TopicDescription_topic_id(topic)),
                 rd_kafka_TopicDescription_is_internal(topic) != 0,
                 {}};
  std::size_t count = 0;
  const rd_kafka_TopicPartitionInfo_t** partitions = rd_kafka_TopicDescription_partitions(topic, &count);
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_Node_t* leader = rd_kafka_TopicPartitionInfo_leader(partitions[i]);
    PartitionState state{
        rd_kafka_TopicPartitionInfo_partition(partitions[i]), leader == nullptr ? -1 : rd_kafka_Node_id(leader), {}, {}};
    std::size_t nodes = 0;
    const rd_kafka_Node_t** replicas = rd_kafka_TopicPartitionInfo_replicas(partitions[i], &nodes);
    state.replicas = IdsOf(replicas, nodes);
    const rd_kafka_Node_t** isr = rd_kafka_TopicPartitionInfo_isr(partitions[i], &nodes);
    state.isr = IdsOf(isr, nodes);
    info.partitions.push_back(std::move(state));
  }
  std::ranges::sort(info.partitions, {}, &PartitionState::partition);
  return info;
}

// Asks for the configuration of several resources. Those that are not there are left out.
Failure Configs(Admin* admin, rd_kafka_ResourceType_t type, const std::vector<std::string>& names, int timeout_ms,
                std::vector<ResourceConfig>* out) {
  out->clear();
  if (names.empty()) return {};
  const bool of_topic = type == RD_KAFKA_RESOURCE_TOPIC;
  AdminCall call(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms);
  List<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy> resources;
  for (const std::string& name : names) resources.Add(rd_kafka_ConfigResource_new(type, name.c_str()));
  rd_kafka_DescribeConfigs(call.client(), resources.data(), resources.size(), call.options(), call.queue());
  if (Failure failure = call.Wait()) return failure;
  std::size_t count = 0;
  const auto** found = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(call.event()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t error = rd_kafka_ConfigResource_error(found[i]);
    if (of_topic && error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) continue;
    if (Failure failure = FailureOf(error, rd_kafka_ConfigResource_error_string(found[i]))) return failure;
    ResourceConfig config{rd_kafka_ConfigResource_name(found[i]), {}};
    std::size_t entries = 0;
    const rd_kafka_ConfigEntry_t** each = rd_kafka_ConfigResource_configs(found[i], &entries);
    for (std::size_t j = 0; j < entries; ++j) {
      const char* value = rd_kafka_ConfigEntry_value(each[j]);
      const rd_kafka_ConfigSource_t source = rd_kafka_ConfigEntry_source(each[j]);
      config.entries.push_back(
          {rd_kafka_ConfigEntry_name(each[j]), value == nullptr ? std::nullopt : std::optional<std::string>(value),
           of_topic ? source != RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG : source == RD_KAFKA_CONFIG_SOURCE_DEFAULT_CONFIG});
    }
    out->push_back(std::move(config));
  }
  return {};
}

}  // namespace

Failure Admin::TopicNames(int timeout_ms, std::vector<std::string>* out) {
  const struct rd_kafka_metadata* metadata = nullptr;
  if (Failure failure = AdminCall::Metadata(this, timeout_ms, &metadata)) return failure;
  out->clear();
  for (int i = 0; i < metadata->topic_cnt; ++i) out->emplace_back(metadata->topics[i].topic);
  rd_kafka_metadata_destroy(metadata);
  std::ranges::sort(*out);
  return {};
}

Failure Admin::Topics(const std::vector<std::string>& names, int timeout_ms, std::vector<TopicInfo>* out) {
  out->clear();
  if (names.empty()) return {};
  AdminCall call(this, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, timeout_ms);
  std::vector<const char*> texts = TextsOf(names);
  const std::unique_ptr<rd_kafka_TopicCollection_t, void (*)(rd_kafka_TopicCollection_t*)> wanted(
      rd_kafka_TopicCollection_of_topic_names(texts.data(), texts.size()), rd_kafka_TopicCollection_destroy);
  rd_kafka_DescribeTopics(call.client(), wanted.get(), call.options(), call.queue());
  if (Failure failure = call.Wait()) return failure;
  std::size_t count = 0;
  const auto** topics = rd_kafka_DescribeTopics_result_topics(rd_kafka_event_DescribeTopics_result(call.event()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_error_t* error = rd_kafka_TopicDescription_error(topics[i]);
    if (error != nullptr && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) continue;
    if (Failure failure = FailureOf(error)) {
      failure.text += " (" + std::string(rd_kafka_TopicDescription_name(topics[i])) + ")";
      return failure;
    }
    out->push_back(InfoOf(topics[i]));
  }
  return {};
}

Failure Admin::TopicConfigs(const std::vector<std::string>& names, int timeout_ms, std::vector<ResourceConfig>* out) {
  return Configs(this, RD_KAFKA_RESOURCE_TOPIC, names, timeout_ms, out);
}

Failure Admin::BrokerConfig(std::int32_t broker, int timeout_ms, std::vector<ConfigEntry>* out) {
  std::vector<ResourceConfig> found;
  if (Failure failure = Configs(this, RD_KAFKA_RESOURCE_BROKER, {std::to_string(broker)}, timeout_ms, &found)) return failure;
  *out = found.empty() ? std::vector<ConfigEntry>() : std::move(found[0].entries);
  return {};
}

Failure Admin::CreateTopics(const std::vector<NewTopic>& topics, bool validate_only, int timeout_ms, std::vector<Outcome>* out) {
  out->clear();
  AdminCall call(this, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms);
  if (validate_only) call.ValidateOnly();
  List<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy> wanted;
  std::array<char, 512> reason{};
  for (const NewTopic& topic : topics) {
    rd_kafka_NewTopic_t* made =
        rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions, topic.replication_factor, reason.data(), reason.size());
    if (made == nullptr) {
      out->push_back({topic.name, FailureOf(RD_KAFKA_RESP_ERR__INVALID_ARG, reason.data())});
      continue;
    }
    wanted.Add(made);
    for (const auto& [name, value] : topic.config) rd_kafka_NewTopic_set_config(made, name.c_str(), value.c_str());
  }
  if (wanted.size() == 0) return {};
  rd_kafka_CreateTopics(call.client(), wanted.data(), wanted.size(), call.options(), call.queue());
  if (Failure failure = call.Wait()) return failure;
  std::size_t count = 0;
  const auto** results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(call.event()), &count);
  for (Outcome& outcome : OutcomesOf(results, count)) out->push_back(std::move(outcome));
  return {};
}

Failure Admin::CreatePartitions(const std::vector<PartitionTotal>& topics, bool validate_only, int timeout_ms,
                                std::vector<Outcome>* out) {
  out->clear();
  AdminCall call(this, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, timeout_ms);
  if (validate_only) call.ValidateOnly();
  List<rd_kafka_NewPartitions_t, rd_kafka_NewPartitions_destroy> wanted;
  std::array<char, 512> reason{};
  for (const PartitionTotal& topic : topics) {
    rd_kafka_NewPartitions_t* made =
        topic.partitions < 1 ? nullptr
                             : rd_kafka_NewPartitions_new(topic.name.c_str(), static_cast<std::size_t>(topic.partitions),
                                                          reason.data(), reason.size());
    if (made == nullptr) {
      out->push_back({topic.name, FailureOf(RD_KAFKA_RESP_ERR__INVALID_ARG,
                                            topic.partitions < 1 ? "a topic has at least one partition" : reason.data())});
      continue;
    }
    wanted.Add(made);
  }
  if (wanted.size() == 0) return {};
  rd_kafka_CreatePartitions(call.client(), wanted.data(), wanted.size(), call.options(), call.queue());
  if (Failure failure = call.Wait()) return failure;
  std::size_t count = 0;
  const auto** results = rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(call.event()), &count);
  for (Outcome& outcome : OutcomesOf(results, count)) out->push_back(std::move(outcome));
  return {};
}

Failure Admin::AlterTopicConfigs(const std::vector<TopicConfig>& topics, int timeout_ms, std::vector<Outcome>* out) {
  out->clear();
  AdminCall call(this, RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS, timeout_ms);
  List<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy> wanted;
  for (const TopicConfig& topic : topics) {
    if (topic.config.empty()) {
      out->push_back({topic.name, {}});
      continue;
    }
    rd_kafka_ConfigResource_t* resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name.c_str());
    wanted.Add(resource);
    for (const auto& [name, value] : topic.config) {
      const std::unique_ptr<rd_kafka_error_t, void (*)(rd_kafka_error_t*)> error(
          rd_kafka_ConfigResource_add_incremental_config(resource, name.c_str(), RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET,
                                                         value.c_str()),
          rd_kafka_error_destroy);
      if (Failure failure = FailureOf(error.get())) return failure;
    }
  }
  if (wanted.size() == 0) return {};
  rd_kafka_IncrementalAlterConfigs(call.client(), wanted.data(), wanted.size(), call.options(), call.queue());
  if (Failure failure = call.Wait()) return failure;
  std::size_t count = 0;
  const auto** results =
      rd_kafka_IncrementalAlterConfigs_result_resources(rd_kafka_event_IncrementalAlterConfigs_result(call.event()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    out->push_back({rd_kafka_ConfigResource_name(results[i]),
                    FailureOf(rd_kafka_ConfigResource_error(results[i]), rd_kafka_ConfigResource_error_string(results[i]))});
  }
  return {};
}

Failure Admin::DeleteTopics(const std::vector<std::string>& names, int timeout_ms, std::vector<Outcome>* out) {
  out->clear();
  if (names.empty()) return {};
  AdminCall call(this, RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout_ms);
  List<rd_kafka_DeleteTopic_t, rd_kafka_DeleteTopic_destroy> wanted;
  for (const std::string& name : names) wanted.Add(rd_kafka_DeleteTopic_new(name.c_str()));
  rd_kafka_DeleteTopics(call.client(), wanted.data(), wanted.size(), call.options(), call.queue());
  if (Failure failure = call.Wait()) return failure;
  std::size_t count = 0;
  const auto** results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(call.event()), &count);
  *out = OutcomesOf(results, count);
  return {};
}

}  // namespace tw::kafka
