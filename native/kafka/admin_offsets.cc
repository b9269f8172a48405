// Offsets of partitions.
#include <algorithm>
#include <map>
#include <utility>

#include "kafka/admin_call.h"
#include "kafka/admin_list.h"

namespace tw::kafka {
namespace {

// Sends one ListOffsets; ListedOffsets takes its answer.
void ListOffsets(AdminCall* call, const std::vector<TopicPartition>& partitions, std::int64_t spec) {
  const PartitionList list = PartitionListOf(partitions, spec);
  rd_kafka_ListOffsets(call->client(), list.get(), call->options(), call->queue());
}

// librdkafka only says that it found no leader to ask.
Failure WithoutLeader(Admin* admin, const std::vector<TopicPartition>& partitions, int timeout_ms) {
  std::vector<std::string> names;
  for (const TopicPartition& at : partitions) names.push_back(at.topic);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::vector<TopicInfo> topics;
  if (Failure failure = admin->Topics(names, timeout_ms, &topics)) return failure;
  for (const TopicPartition& at : partitions) {
    const auto topic = std::ranges::find(topics, at.topic, &TopicInfo::name);
    if (topic == topics.end() ||
        std::ranges::find(topic->partitions, at.partition, &PartitionState::partition) == topic->partitions.end()) {
      return FailureOf(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
                       ("there is no partition " + at.topic + "/" + std::to_string(at.partition)).c_str());
    }
  }
  return FailureOf(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, "a partition has no leader now");
}

Failure ListedOffsets(Admin* admin, AdminCall* call, const std::vector<TopicPartition>& partitions, int timeout_ms,
                      std::vector<std::int64_t>* out) {
  Failure failure = call->Wait();
  if (failure.code == "_NOENT") return WithoutLeader(admin, partitions, timeout_ms);
  if (failure) return failure;
  std::size_t count = 0;
  const auto** infos = rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(call->event()), &count);
  std::map<TopicPartition, std::int64_t> found;
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_topic_partition_t* at = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
    failure = call->Of(at->err);
    if (failure.code == "_NOENT") return WithoutLeader(admin, partitions, timeout_ms);
    if (failure) {
      failure.text += " (" + std::string(at->topic) + "/" + std::to_string(at->partition) + ")";
      return failure;
    }
    found[{at->topic, at->partition}] = at->offset;
  }
  for (const TopicPartition& at : partitions) {
    const auto each = found.find(at);
    if (each == found.end()) return WithoutLeader(admin, partitions, timeout_ms);
    out->push_back(each->second);
  }
  return {};
}

}  // namespace

Failure Admin::Offsets(const std::vector<TopicPartition>& partitions, int timeout_ms, std::vector<OffsetRange>* out) {
  out->clear();
  if (partitions.empty()) return {};
  AdminCall first(this, RD_KAFKA_ADMIN_OP_LISTOFFSETS, timeout_ms);
  AdminCall next(this, RD_KAFKA_ADMIN_OP_LISTOFFSETS, timeout_ms);
  ListOffsets(&first, partitions, RD_KAFKA_OFFSET_SPEC_EARLIEST);
  ListOffsets(&next, partitions, RD_KAFKA_OFFSET_SPEC_LATEST);
  std::vector<std::int64_t> begins, ends;
  if (Failure failure = ListedOffsets(this, &first, partitions, timeout_ms, &begins)) return failure;
  if (Failure failure = ListedOffsets(this, &next, partitions, timeout_ms, &ends)) return failure;
  for (std::size_t i = 0; i < partitions.size(); ++i) out->push_back({partitions[i], begins[i], ends[i]});
  return {};
}

Failure Admin::OffsetsAt(const std::vector<TopicPartition>& partitions, std::int64_t time_ms, int timeout_ms,
                         std::vector<PartitionOffset>* out) {
  out->clear();
  if (partitions.empty()) return {};
  AdminCall call(this, RD_KAFKA_ADMIN_OP_LISTOFFSETS, timeout_ms);
  ListOffsets(&call, partitions, std::max<std::int64_t>(time_ms, 0));  // Below zero are the names of places.
  std::vector<std::int64_t> offsets;
  if (Failure failure = ListedOffsets(this, &call, partitions, timeout_ms, &offsets)) return failure;
  for (std::size_t i = 0; i < partitions.size(); ++i) out->push_back({partitions[i], offsets[i]});
  return {};
}

}  // namespace tw::kafka
