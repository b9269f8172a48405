// A group of an engine behind the C table.
#include <utility>
#include <vector>

#include "journal/engine_import_parts.h"

namespace tw::journal {
namespace {

class ImportedGroup final : public Group {
 public:
  using Now = std::function<std::uint64_t()>;

  static std::unique_ptr<Group> Join(EnginePtr engine, const GroupOptions& given, std::string* error) {
    std::vector<tw_group_topic> topics;
    for (const GroupTopic& topic : given.topics) topics.push_back({TextOf(topic.name), topic.partitions});
    auto now = std::make_unique<Now>(given.now_ns);
    const tw_group_options options = {TextOf(given.group),       topics.data(), topics.size(), given.durable, given.hung_ms,
                                      *now ? &CallNow : nullptr, now.get()};
    Text reason;
    tw_group* handle = engine->table.join_group(engine->table.log, &options, reason.buffer());
    if (handle == nullptr) {
      *error = reason.text().empty() ? "the group cannot be joined" : reason.text();
      return nullptr;
    }
    return std::unique_ptr<Group>(new ImportedGroup(std::move(engine), handle, std::move(now)));
  }
  ~ImportedGroup() override { engine_->table.group_close(handle_); }

  void Tick(Changes* changes) override {
    tw_changes told = {};
    engine_->table.group_tick(handle_, &told);
    Take(told.assigned, told.assigned_count, &changes->assigned);
    Take(told.revoked, told.revoked_count, &changes->revoked);
    Take(told.lost, told.lost_count, &changes->lost);
    changes->evicted = told.evicted != 0;
  }
  void Release(const Assignment& assignment) override {
    const tw_assignment given = Of(assignment);
    engine_->table.group_release(handle_, &given);
  }
  void Leave() override { engine_->table.group_leave(handle_); }
  bool Grow(std::uint32_t topic, std::uint32_t partitions) override {
    return engine_->table.group_grow(handle_, topic, partitions) != 0;
  }
  Status Commit(const Assignment& assignment, std::uint64_t offset) override {
    const tw_assignment given = Of(assignment);
    return static_cast<Status>(engine_->table.group_commit(handle_, &given, offset));
  }
  Status Check(const Assignment& assignment) const override {
    const tw_assignment given = Of(assignment);
    return static_cast<Status>(engine_->table.group_check(handle_, &given));
  }
  std::optional<std::uint64_t> Committed(std::uint32_t topic, std::uint32_t partition) const override {
    std::uint64_t offset = 0;
    if (engine_->table.group_committed(handle_, topic, partition, &offset) == 0) return std::nullopt;
    return offset;
  }
  std::uint64_t generation() const override { return engine_->table.group_generation(handle_); }
  std::vector<MemberInfo> Members() const override {
    std::vector<MemberInfo> members;
    engine_->table.group_members(
        handle_,
        [](void* context, const tw_member* member) {
          static_cast<std::vector<MemberInfo>*>(context)->push_back({member->pid, member->partitions, member->heartbeat_age_ms});
        },
        &members);
    return members;
  }

 private:
  ImportedGroup(EnginePtr engine, tw_group* handle, std::unique_ptr<Now> now)
      : engine_(std::move(engine)), handle_(handle), now_(std::move(now)) {}

  static std::uint64_t CallNow(void* now) { return (*static_cast<Now*>(now))(); }
  static tw_assignment Of(const Assignment& given) { return {given.topic, given.partition, given.generation}; }
  static void Take(const tw_assignment* from, std::size_t count, std::vector<Assignment>* to) {
    for (std::size_t i = 0; i < count; ++i) to->push_back({from[i].topic, from[i].partition, from[i].generation});
  }

  const EnginePtr engine_;
  tw_group* const handle_;
  const std::unique_ptr<Now> now_;  // The engine calls it until the group is closed.
};

}  // namespace

std::unique_ptr<Group> JoinImportedGroup(EnginePtr engine, const GroupOptions& options, std::string* error) {
  return ImportedGroup::Join(std::move(engine), options, error);
}

}  // namespace tw::journal
