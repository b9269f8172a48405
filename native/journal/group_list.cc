#include "journal/group_list.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "journal/group_file.h"
#include "journal/group_page.h"

namespace tw::journal {
namespace {

// A killed member stays in its slot until another one evicts it: the process table knows better.
bool IsRunning(const page::Member& member, std::uint64_t identity) {
  if (member.pid_namespace.load() != PidNamespace()) return true;
  const ProcessStart process = StartOfProcess(static_cast<std::uint32_t>(identity >> 32));
  const std::uint64_t start = member.start.load();
  return process.running &&
         (!page::HasStamp(start, identity) || (start & page::kOffsetMask) == (process.ticks & page::kOffsetMask));
}

GroupInfo InfoOf(std::string name, const page::Page& page, std::uint64_t now_ms) {
  GroupInfo info{.name = std::move(name), .durable = page.header.durable.load() != 0, .members = {}, .topics = {}};
  std::array<std::optional<std::size_t>, page::kMembersMax> places;
  for (std::uint32_t slot = 0; slot < page::kMembersMax; ++slot) {
    const page::Member& member = page.members[slot];
    const std::uint64_t identity = member.identity.load(std::memory_order_acquire);
    const std::uint64_t heartbeat = member.heartbeat.load(std::memory_order_acquire);
    if (identity == 0 || !page::HasStamp(heartbeat, identity) || !IsRunning(member, identity)) continue;
    const std::uint64_t beat = heartbeat & page::kOffsetMask;
    places[slot] = info.members.size();
    info.members.push_back({.pid = static_cast<std::uint32_t>(identity >> 32),
                            .incarnation = static_cast<std::uint32_t>(identity),
                            .heartbeat_age_ms = now_ms > beat ? now_ms - beat : 0});
  }
  for (std::uint32_t i = 0; i < page::kTopicsMax; ++i) {
    const page::Topic& topic = page.topics[i];
    const auto count =
        std::min<std::uint64_t>(topic.partitions.load(std::memory_order_acquire), std::uint64_t{page::kPartitionsMax});
    if (count == 0) continue;
    std::size_t length = 0;
    while (length < page::kNameMax && topic.name[length] != 0) ++length;
    GroupTopicInfo shown{.name = std::string(topic.name, length), .partitions = {}};
    for (std::uint32_t p = 0; p < count; ++p) {
      const page::Partition& cell = page.partitions[i * page::kPartitionsMax + p];
      const std::uint32_t slot = page::OwnerSlot(cell.owner.load());
      const std::uint64_t offset_plus_one = cell.commit.load() & page::kOffsetMask;
      GroupPartitionInfo partition;
      if (slot >= 1 && slot <= page::kMembersMax) partition.owner = places[slot - 1];
      if (offset_plus_one > 0) partition.committed = offset_plus_one - 1;
      shown.partitions.push_back(partition);
    }
    info.topics.push_back(std::move(shown));
  }
  return info;
}

}  // namespace

std::vector<GroupInfo> ListGroups(const std::string& directory, const std::string& log_id, std::uint64_t now_ns) {
  std::vector<GroupInfo> groups;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(directory + "/groups", failed)) {
    if (entry.path().extension() != ".group") continue;
    std::string error;
    const std::string name = entry.path().stem().string();
    const auto file = GroupFile::Open(directory, name, log_id, false, &error);
    if (file != nullptr) groups.push_back(InfoOf(name, *file->page(), now_ns / 1'000'000));
  }
  std::sort(groups.begin(), groups.end(), [](const GroupInfo& a, const GroupInfo& b) { return a.name < b.name; });
  return groups;
}

}  // namespace tw::journal
