// Consumer groups and what they have committed.
#include <algorithm>
#include <cctype>
#include <utility>

#include "kafka/admin_call.h"
#include "kafka/admin_list.h"

namespace tw::kafka {
namespace {

std::string TypeOf(rd_kafka_consumer_group_type_t type) {
  std::string name = rd_kafka_consumer_group_type_name(type);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

GroupMember MemberOf(const rd_kafka_MemberDescription_t* member) {
  const char* instance = rd_kafka_MemberDescription_group_instance_id(member);
  GroupMember info{rd_kafka_MemberDescription_consumer_id(member),
                   rd_kafka_MemberDescription_client_id(member),
                   rd_kafka_MemberDescription_host(member),
                   instance == nullptr ? std::nullopt : std::optional<std::string>(instance),
                   {}};
  const rd_kafka_MemberAssignment_t* assignment = rd_kafka_MemberDescription_assignment(member);
  const rd_kafka_topic_partition_list_t* partitions =
      assignment == nullptr ? nullptr : rd_kafka_MemberAssignment_partitions(assignment);
  for (int i = 0; partitions != nullptr && i < partitions->cnt; ++i) {
    info.assignment.push_back({partitions->elems[i].topic, partitions->elems[i].partition});
  }
  std::ranges::sort(info.assignment);
  return info;
}

GroupInfo InfoOf(const rd_kafka_ConsumerGroupDescription_t* group) {
  const char* assignor = rd_kafka_ConsumerGroupDescription_partition_assignor(group);
  const rd_kafka_Node_t* coordinator = rd_kafka_ConsumerGroupDescription_coordinator(group);
  GroupInfo info{rd_kafka_ConsumerGroupDescription_group_id(group),
                 rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(group)),
                 TypeOf(rd_kafka_ConsumerGroupDescription_type(group)),
                 assignor == nullptr ? "" : assignor,
                 coordinator == nullptr ? -1 : rd_kafka_Node_id(coordinator),
                 {}};
  for (std::size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(group); ++i) {
    info.members.push_back(MemberOf(rd_kafka_ConsumerGroupDescription_member(group, i)));
  }
  return info;
}

}  // namespace

Failure Admin::Groups(int timeout_ms, std::vector<GroupListing>* out) {
  out->clear();
  AdminCall call(this, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, timeout_ms);
  rd_kafka_ListConsumerGroups(call.client(), call.options(), call.queue());
  if (Failure failure = call.Wait()) return failure;
  const auto* result = rd_kafka_event_ListConsumerGroups_result(call.event());
  std::size_t count = 0, errors = 0;
  const rd_kafka_error_t** failed = rd_kafka_ListConsumerGroups_result_errors(result, &errors);
  const rd_kafka_ConsumerGroupListing_t** groups = rd_kafka_ListConsumerGroups_result_valid(result, &count);
  // Each broker tells its own groups. Those of a dead one move to the others, whose answers stand.
  if (errors > 0 && count == 0) return call.Of(failed[0]);
  for (std::size_t i = 0; i < count; ++i) {
    out->push_back({rd_kafka_ConsumerGroupListing_group_id(groups[i]),
                    rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupListing_state(groups[i])),
                    TypeOf(rd_kafka_ConsumerGroupListing_type(groups[i]))});
  }
  std::ranges::sort(*out, {}, &GroupListing::group);
  return {};
}

Failure Admin::DescribeGroups(const std::vector<std::string>& groups, int timeout_ms, std::vector<GroupInfo>* out) {
  if (groups.empty()) return {};
  return AdminCall::OfCoordinator(this, timeout_ms, [&](int left_ms) -> Failure {
    out->clear();
    AdminCall call(this, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, left_ms);
    std::vector<const char*> texts = TextsOf(groups);
    rd_kafka_DescribeConsumerGroups(call.client(), texts.data(), texts.size(), call.options(), call.queue());
    if (Failure failure = call.Wait()) return failure;
    std::size_t count = 0;
    const auto** found =
        rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(call.event()), &count);
    for (std::size_t i = 0; i < count; ++i) {
      const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(found[i]);
      // A group that is not there is told as an error or as dead, by the protocol the broker answers with.
      if (error != nullptr && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) continue;
      if (Failure failure = call.Of(error)) {
        failure.text += " (" + std::string(rd_kafka_ConsumerGroupDescription_group_id(found[i])) + ")";
        return failure;
      }
      if (rd_kafka_ConsumerGroupDescription_state(found[i]) == RD_KAFKA_CONSUMER_GROUP_STATE_DEAD) continue;
      out->push_back(InfoOf(found[i]));
    }
    return {};
  });
}

Failure Admin::Committed(const std::string& group, int timeout_ms, std::vector<PartitionOffset>* out) {
  std::string error;
  Client* client = ConsumerFor(group, &error);
  if (client == nullptr) return FailureOf(RD_KAFKA_RESP_ERR__INVALID_ARG, error.c_str());
  return AdminCall::OfCoordinator(this, timeout_ms, [&](int left_ms) -> Failure {
    out->clear();
    AdminCall call(this, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, left_ms, client);
    List<rd_kafka_ListConsumerGroupOffsets_t, rd_kafka_ListConsumerGroupOffsets_destroy> wanted;
    wanted.Add(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), nullptr));
    rd_kafka_ListConsumerGroupOffsets(call.client(), wanted.data(), wanted.size(), call.options(), call.queue());
    if (Failure failure = call.Wait()) return failure;
    std::size_t count = 0;
    const auto** results =
        rd_kafka_ListConsumerGroupOffsets_result_groups(rd_kafka_event_ListConsumerGroupOffsets_result(call.event()), &count);
    for (std::size_t i = 0; i < count; ++i) {
      const rd_kafka_error_t* error = rd_kafka_group_result_error(results[i]);
      if (error != nullptr && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) continue;
      if (Failure failure = call.Of(error)) return failure;
      const rd_kafka_topic_partition_list_t* partitions = rd_kafka_group_result_partitions(results[i]);
      for (int j = 0; partitions != nullptr && j < partitions->cnt; ++j) {
        const rd_kafka_topic_partition_t& at = partitions->elems[j];
        if (at.err == RD_KAFKA_RESP_ERR_NO_ERROR && at.offset >= 0) out->push_back({{at.topic, at.partition}, at.offset});
      }
    }
    std::ranges::sort(*out, {}, &PartitionOffset::at);
    return {};
  });
}

Failure Admin::AlterCommitted(const std::string& group, const std::vector<PartitionOffset>& offsets, int timeout_ms,
                              std::vector<Outcome>* out) {
  if (offsets.empty()) return {};
  return AdminCall::OfCoordinator(this, timeout_ms, [&](int left_ms) -> Failure {
    out->clear();
    AdminCall call(this, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, left_ms);
    const PartitionList list = NewPartitionList(offsets.size());
    for (const PartitionOffset& each : offsets) {
      rd_kafka_topic_partition_list_add(list.get(), each.at.topic.c_str(), each.at.partition)->offset = each.offset;
    }
    List<rd_kafka_AlterConsumerGroupOffsets_t, rd_kafka_AlterConsumerGroupOffsets_destroy> wanted;
    wanted.Add(rd_kafka_AlterConsumerGroupOffsets_new(group.c_str(), list.get()));
    rd_kafka_AlterConsumerGroupOffsets(call.client(), wanted.data(), wanted.size(), call.options(), call.queue());
    if (Failure failure = call.Wait()) return failure;
    std::size_t count = 0;
    const auto** results =
        rd_kafka_AlterConsumerGroupOffsets_result_groups(rd_kafka_event_AlterConsumerGroupOffsets_result(call.event()), &count);
    for (std::size_t i = 0; i < count; ++i) {
      if (Failure failure = call.Of(rd_kafka_group_result_error(results[i]))) return failure;
      const rd_kafka_topic_partition_list_t* partitions = rd_kafka_group_result_partitions(results[i]);
      for (int j = 0; partitions != nullptr && j < partitions->cnt; ++j) {
        const rd_kafka_topic_partition_t& at = partitions->elems[j];
        out->push_back({std::string(at.topic) + "/" + std::to_string(at.partition), call.Of(at.err)});
      }
    }
    return {};
  });
}

Failure Admin::DeleteGroups(const std::vector<std::string>& groups, int timeout_ms, std::vector<Outcome>* out) {
  out->clear();
  if (groups.empty()) return {};
  AdminCall call(this, RD_KAFKA_ADMIN_OP_DELETEGROUPS, timeout_ms);
  List<rd_kafka_DeleteGroup_t, rd_kafka_DeleteGroup_destroy> wanted;
  for (const std::string& group : groups) wanted.Add(rd_kafka_DeleteGroup_new(group.c_str()));
  rd_kafka_DeleteGroups(call.client(), wanted.data(), wanted.size(), call.options(), call.queue());
  if (Failure failure = call.Wait()) return failure;
  std::size_t count = 0;
  const auto** results = rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(call.event()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    out->push_back({rd_kafka_group_result_name(results[i]), call.Of(rd_kafka_group_result_error(results[i]))});
  }
  return {};
}

}  // namespace tw::kafka
