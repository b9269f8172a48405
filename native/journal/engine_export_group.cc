// Groups behind the C table.
#include <string>
#include <utility>
#include <vector>

#include "journal/engine_export_parts.h"
#include "journal/group.h"

struct tw_group {
  std::shared_ptr<tw::journal::Log> log;
  std::unique_ptr<tw::journal::Group> group;
  tw::journal::Group::Changes changes;
  std::vector<tw_assignment> assigned, revoked, lost;
};

namespace tw::journal {
namespace {

tw_assignment AssignmentOf(const Assignment& given) { return {given.topic, given.partition, given.generation}; }
Assignment AssignmentOf(const tw_assignment& given) { return {given.topic, given.partition, given.generation}; }
void Copy(const std::vector<Assignment>& from, std::vector<tw_assignment>* to) {
  to->clear();
  for (const Assignment& assignment : from) to->push_back(AssignmentOf(assignment));
}

tw_group* JoinGroup(void* log, const tw_group_options* given, tw_buffer* error) {
  return Guarded(static_cast<tw_group*>(nullptr), [&]() -> tw_group* {
    GroupOptions options;
    options.group = ViewOf(given->group);
    for (std::size_t i = 0; i < given->topic_count; ++i) {
      options.topics.push_back({std::string(ViewOf(given->topics[i].name)), given->topics[i].partitions});
    }
    options.durable = given->durable != 0;
    options.hung_ms = given->hung_ms;
    if (given->now_ns != nullptr) options.now_ns = [now = given->now_ns, context = given->now_context] { return now(context); };
    std::string text;
    auto joined = LogOf(log).JoinGroup(options, &text);
    Write(text, error);
    return joined == nullptr ? nullptr : new tw_group{SharedOf(log), std::move(joined), {}, {}, {}, {}};
  });
}

void Tick(tw_group* self, tw_changes* out) {
  *out = {};
  Guarded([&] {
    self->changes.Clear();
    self->group->Tick(&self->changes);
    Copy(self->changes.assigned, &self->assigned);
    Copy(self->changes.revoked, &self->revoked);
    Copy(self->changes.lost, &self->lost);
    *out = {self->assigned.data(), self->assigned.size(), self->revoked.data(), self->revoked.size(),
            self->lost.data(),     self->lost.size(),     self->changes.evicted};
  });
}
void ReleaseAssignment(tw_group* self, const tw_assignment* assignment) {
  Guarded([&] { self->group->Release(AssignmentOf(*assignment)); });
}
void Leave(tw_group* self) {
  Guarded([&] { self->group->Leave(); });
}
int Grow(tw_group* self, std::uint32_t topic, std::uint32_t partitions) {
  return Guarded(0, [&] { return self->group->Grow(topic, partitions) ? 1 : 0; });
}
std::uint8_t Commit(tw_group* self, const tw_assignment* assignment, std::uint64_t offset) {
  return Guarded(kFailed, [&] { return Code(self->group->Commit(AssignmentOf(*assignment), offset)); });
}
std::uint8_t Check(tw_group* self, const tw_assignment* assignment) {
  return Guarded(kFailed, [&] { return Code(self->group->Check(AssignmentOf(*assignment))); });
}
int CommittedIn(tw_group* self, std::uint32_t topic, std::uint32_t partition, std::uint64_t* out) {
  return Guarded(0, [&] {
    const auto offset = self->group->Committed(topic, partition);
    if (!offset.has_value()) return 0;
    *out = *offset;
    return 1;
  });
}
std::uint64_t Generation(tw_group* self) {
  return Guarded(std::uint64_t{0}, [&] { return self->group->generation(); });
}
void Members(tw_group* self, tw_on_member on_member, void* context) {
  Guarded([&] {
    for (const Group::MemberInfo& info : self->group->Members()) {
      const tw_member member = {info.pid, info.partitions, info.heartbeat_age_ms};
      on_member(context, &member);
    }
  });
}
void CloseGroup(tw_group* self) {
  Guarded([&] { delete self; });
}

}  // namespace

void AddGroups(tw_engine* table) {
  table->join_group = JoinGroup;
  table->group_tick = Tick;
  table->group_release = ReleaseAssignment;
  table->group_leave = Leave;
  table->group_grow = Grow;
  table->group_commit = Commit;
  table->group_check = Check;
  table->group_committed = CommittedIn;
  table->group_generation = Generation;
  table->group_members = Members;
  table->group_close = CloseGroup;
}

}  // namespace tw::journal
