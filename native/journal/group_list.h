// Who is in which consumer group of a log, and who owns what: for tools, without joining.
// Reads the group pages; writes nothing. Any thread. A page that cannot be read is left out.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tw::journal {

struct GroupMemberInfo {
  std::uint32_t pid = 0;
  std::uint32_t incarnation = 0;  // Tells two members of one process apart.
  std::uint64_t heartbeat_age_ms = 0;
};

struct GroupPartitionInfo {
  std::optional<std::size_t> owner;  // Index in GroupInfo::members.
  std::optional<std::uint64_t> committed;
};

struct GroupTopicInfo {
  std::string name;
  std::vector<GroupPartitionInfo> partitions;
};

struct GroupInfo {
  std::string name;
  bool durable = false;
  std::vector<GroupMemberInfo> members;  // Those whose process still runs.
  std::vector<GroupTopicInfo> topics;
};

// In order of name. now_ns: CLOCK_MONOTONIC, which the members beat by.
std::vector<GroupInfo> ListGroups(const std::string& directory, const std::string& log_id, std::uint64_t now_ns);

}  // namespace tw::journal
