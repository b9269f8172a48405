#include "journal/group.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "journal/group_file.h"
#include "journal/group_page.h"

namespace tw::journal {
namespace {

using page::kMembersMax;
using page::kPartitionsMax;

std::uint64_t MonotonicNs() {
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000ull + static_cast<std::uint64_t>(now.tv_nsec);
}

std::optional<std::uint64_t> OffsetOf(const page::Partition& partition) {
  const std::uint64_t offset_plus_one = partition.commit.load(std::memory_order_acquire) & page::kOffsetMask;
  if (offset_plus_one == 0) return std::nullopt;
  return offset_plus_one - 1;
}

class PageGroup final : public Group {
 public:
  PageGroup(GroupOptions options, std::unique_ptr<GroupFile> file, std::vector<std::uint32_t> indices)
      : options_(std::move(options)), file_(std::move(file)), page_(file_->page()), indices_(std::move(indices)) {
    const ProcessStart start = StartOfProcess(static_cast<std::uint32_t>(::getpid()));
    start_ticks_ = start.ticks;
    namespace_ = PidNamespace();
    for (const std::uint32_t index : indices_) mask_ |= 1ull << index;
  }
  ~PageGroup() override { Leave(); }

  bool Enter() {
    for (std::uint32_t slot = 0; slot < kMembersMax; ++slot) {
      page::Member& member = page_->members[slot];
      std::uint64_t free = 0;
      if (member.identity.load() != 0) continue;
      const std::uint64_t incarnation = (page_->header.incarnation.fetch_add(1) + 1) & 0xffffffffull;
      const std::uint64_t identity = (static_cast<std::uint64_t>(::getpid()) << 32) | incarnation;
      if (!member.identity.compare_exchange_strong(free, identity)) continue;
      slot_.store(slot);
      identity_.store(identity);
      member.pid_namespace.store(namespace_);
      member.start.store(page::Stamped(identity, start_ticks_));
      member.topics.store(page::Stamped(identity, mask_));
      DisownStrays();  // What an earlier holder of this slot left must not look like ours.
      last_heartbeat_ = page::Stamped(identity, NowMs());
      member.heartbeat.store(last_heartbeat_);
      page_->header.generation.fetch_add(1);
      return true;
    }
    return false;
  }

  void Tick(Changes* changes) override {
    changes->Clear();
    if (left_) return;
    if (!Beat()) {
      changes->evicted = true;
      changes->lost.swap(owned_);
      revoked_.clear();
      identity_.store(0);
      if (!Enter()) return;  // No slot free: the next Tick tries again.
    }
    DropTaken(changes);
    ScanMembers();
    DisownStrays();
    for (std::uint32_t topic = 0; topic < indices_.size(); ++topic) Balance(topic, changes);
  }

  void Release(const Assignment& assignment) override {
    const auto at = std::find(owned_.begin(), owned_.end(), assignment);
    if (at == owned_.end()) return;
    owned_.erase(at);
    std::erase(revoked_, assignment);
    std::uint64_t mine = page::Owner(assignment.generation, slot_.load() + 1);
    Cell(assignment.topic, assignment.partition).owner.compare_exchange_strong(mine, page::Owner(assignment.generation, 0));
  }

  void Leave() override {
    if (left_) return;
    left_ = true;
    while (!owned_.empty()) Release(Assignment(owned_.back()));
    std::uint64_t identity = identity_.exchange(0);
    if (identity != 0 && page_->members[slot_.load()].identity.compare_exchange_strong(identity, 0)) {
      page_->header.generation.fetch_add(1);
    }
  }

  bool Grow(std::uint32_t topic, std::uint32_t partitions) override {
    if (topic >= indices_.size()) return false;
    if (page_->topics[indices_[topic]].partitions.load() >= partitions) return true;
    return file_->EnsureTopic(options_.topics[topic].name, partitions) >= 0;
  }

  Status Check(const Assignment& assignment) const override {
    if (assignment.topic >= indices_.size() || assignment.partition >= kPartitionsMax) return Status::kInvalid;
    const std::uint64_t identity = identity_.load();
    const std::uint32_t slot = slot_.load();
    if (identity == 0 || page_->members[slot].identity.load() != identity) return Status::kFenced;
    const std::uint64_t owner = Cell(assignment.topic, assignment.partition).owner.load(std::memory_order_acquire);
    return owner == page::Owner(assignment.generation, slot + 1) ? Status::kOk : Status::kFenced;
  }

  Status Commit(const Assignment& assignment, std::uint64_t offset) override {
    if (offset >= page::kOffsetMask) return Status::kInvalid;
    if (const Status status = Check(assignment); status != Status::kOk) return status;
    page::Partition& cell = Cell(assignment.topic, assignment.partition);
    std::uint64_t word = cell.commit.load(std::memory_order_acquire);
    do {
      if ((word >> 48) != (assignment.generation & 0xffff)) return Status::kFenced;
    } while (!cell.commit.compare_exchange_weak(word, page::CommitWord(assignment.generation, offset + 1)));
    return Status::kOk;
  }

  std::optional<std::uint64_t> Committed(std::uint32_t topic, std::uint32_t partition) const override {
    if (topic >= indices_.size() || partition >= kPartitionsMax) return std::nullopt;
    return OffsetOf(Cell(topic, partition));
  }
  std::uint64_t generation() const override { return page_->header.generation.load(); }

  std::vector<MemberInfo> Members() const override {
    std::vector<MemberInfo> members;
    const std::uint64_t now = NowMs();
    for (std::uint32_t slot = 0; slot < kMembersMax; ++slot) {
      const std::uint64_t identity = page_->members[slot].identity.load();
      const std::uint64_t heartbeat = page_->members[slot].heartbeat.load();
      if (identity == 0 || !page::HasStamp(heartbeat, identity)) continue;
      MemberInfo info{.pid = static_cast<std::uint32_t>(identity >> 32), .partitions = 0, .heartbeat_age_ms = 0};
      const std::uint64_t beat = heartbeat & page::kOffsetMask;
      info.heartbeat_age_ms = now > beat ? now - beat : 0;
      ForEachCell([&](page::Partition& cell) { info.partitions += page::OwnerSlot(cell.owner.load()) == slot + 1 ? 1 : 0; });
      members.push_back(info);
    }
    return members;
  }

 private:
  struct Seen {  // A member as this Tick sees it.
    bool counts = false;
    std::uint64_t identity = 0;
    std::uint64_t mask = 0;
    std::uint32_t total = 0;  // Partitions it owns over all topics.
  };

  std::uint64_t NowMs() const { return options_.now_ns() / 1'000'000; }
  page::Partition& Cell(std::uint32_t topic, std::uint32_t partition) const {
    return page_->partitions[indices_[topic] * kPartitionsMax + partition];
  }
  std::uint32_t PartitionsOf(std::uint32_t page_topic) const {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(page_->topics[page_topic].partitions.load(), kPartitionsMax));
  }
  template <class Visit>
  void ForEachCell(Visit&& visit) const {
    for (std::uint32_t topic = 0; topic < page::kTopicsMax; ++topic) {
      const std::uint32_t partitions = PartitionsOf(topic);
      for (std::uint32_t i = 0; i < partitions; ++i) visit(page_->partitions[topic * kPartitionsMax + i]);
    }
  }

  // False: somebody evicted us.
  bool Beat() {
    const std::uint64_t identity = identity_.load();
    if (identity == 0) return false;
    page::Member& member = page_->members[slot_.load()];
    if (member.identity.load() != identity) return false;
    const std::uint64_t next = page::Stamped(identity, NowMs());
    if (!member.heartbeat.compare_exchange_strong(last_heartbeat_, next)) return false;
    last_heartbeat_ = next;
    return true;
  }

  void DropTaken(Changes* changes) {
    std::erase_if(owned_, [&](const Assignment& assignment) {
      if (Check(assignment) == Status::kOk) return false;
      changes->lost.push_back(assignment);
      std::erase(revoked_, assignment);
      return true;
    });
  }

  void ScanMembers() {
    const std::uint64_t now = NowMs();
    for (std::uint32_t slot = 0; slot < kMembersMax; ++slot) {
      page::Member& member = page_->members[slot];
      std::uint64_t identity = member.identity.load(std::memory_order_acquire);
      Seen& seen = seen_[slot];
      if (identity != seen.identity) first_seen_ms_[slot] = now;
      seen = {.counts = false, .identity = identity, .mask = 0, .total = 0};
      if (identity == 0) continue;
      const std::uint64_t heartbeat = member.heartbeat.load(std::memory_order_acquire);
      const std::uint64_t start = member.start.load();
      const bool ready = page::HasStamp(heartbeat, identity);
      const std::uint64_t beat = ready ? heartbeat & page::kOffsetMask : first_seen_ms_[slot];
      bool gone = slot != slot_.load() && now > beat && now - beat > options_.hung_ms;
      if (!gone && slot != slot_.load() && member.pid_namespace.load() == namespace_) {
        const ProcessStart process = StartOfProcess(static_cast<std::uint32_t>(identity >> 32));
        gone = !process.running ||
               (page::HasStamp(start, identity) && (start & page::kOffsetMask) != (process.ticks & page::kOffsetMask));
      }
      if (gone) {
        if (member.identity.compare_exchange_strong(identity, 0)) page_->header.generation.fetch_add(1);
        seen.identity = 0;
        continue;
      }
      seen.counts = ready;
      seen.mask = member.topics.load() & page::kOffsetMask;
    }
    ForEachCell([&](page::Partition& cell) {
      const std::uint32_t slot = page::OwnerSlot(cell.owner.load());
      if (slot >= 1 && slot <= kMembersMax) ++seen_[slot - 1].total;
    });
  }

  // Partitions that carry our slot but that we did not take: an earlier holder's, or a zombie's late write.
  void DisownStrays() {
    for (std::uint32_t topic = 0; topic < page::kTopicsMax; ++topic) {
      const std::uint32_t partitions = PartitionsOf(topic);
      for (std::uint32_t i = 0; i < partitions; ++i) {
        page::Partition& cell = page_->partitions[topic * kPartitionsMax + i];
        std::uint64_t owner = cell.owner.load();
        if (page::OwnerSlot(owner) != slot_.load() + 1) continue;
        const bool ours = std::any_of(owned_.begin(), owned_.end(), [&](const Assignment& a) {
          return indices_[a.topic] == topic && a.partition == i && a.generation == page::OwnerGeneration(owner);
        });
        if (!ours) cell.owner.compare_exchange_strong(owner, page::Owner(page::OwnerGeneration(owner), 0));
      }
    }
  }

  bool IsFree(std::uint64_t owner, std::uint32_t page_topic) const {
    const std::uint32_t slot = page::OwnerSlot(owner);
    if (slot == 0 || slot > kMembersMax) return true;
    const Seen& seen = seen_[slot - 1];
    if (slot - 1 == slot_.load()) return false;
    return seen.identity == 0 || (seen.counts && (seen.mask & (1ull << page_topic)) == 0);
  }

  // Our share of the topic: P / M, and the remainder goes to those who hold more already (so nothing moves without
  // need), then to those who own least in all, then by age. Each claim is atomic, so views that differ for a moment
  // cost one more round and never a second owner.
  std::uint32_t Share(std::uint32_t page_topic, std::uint32_t partitions) const {
    std::array<std::uint32_t, kMembersMax> count = {};
    for (std::uint32_t i = 0; i < partitions; ++i) {
      const std::uint32_t slot = page::OwnerSlot(page_->partitions[page_topic * kPartitionsMax + i].owner.load());
      if (slot >= 1 && slot <= kMembersMax) ++count[slot - 1];
    }
    const std::uint32_t me = slot_.load();
    const auto before = [&](std::uint32_t a, std::uint32_t b) {
      if (count[a] != count[b]) return count[a] > count[b];
      if (seen_[a].total != seen_[b].total) return seen_[a].total < seen_[b].total;
      return (seen_[a].identity & 0xffffffffull) < (seen_[b].identity & 0xffffffffull);
    };
    std::uint32_t members = 1;
    std::uint32_t rank = 0;
    for (std::uint32_t slot = 0; slot < kMembersMax; ++slot) {
      const Seen& seen = seen_[slot];
      if (slot == me || !seen.counts || seen.identity == 0 || (seen.mask & (1ull << page_topic)) == 0) continue;
      ++members;
      if (before(slot, me)) ++rank;
    }
    return partitions / members + (rank < partitions % members ? 1 : 0);
  }

  void Balance(std::uint32_t topic, Changes* changes) {
    const std::uint32_t page_topic = indices_[topic];
    const std::uint32_t partitions = PartitionsOf(page_topic);
    const std::uint32_t share = Share(page_topic, partitions);
    std::uint32_t held = 0;
    std::uint32_t leaving = 0;
    for (const Assignment& assignment : owned_) held += assignment.topic == topic ? 1 : 0;
    for (const Assignment& assignment : revoked_) leaving += assignment.topic == topic ? 1 : 0;
    for (std::size_t i = owned_.size(); i-- > 0 && held - leaving > share;) {
      const Assignment assignment = owned_[i];
      if (assignment.topic != topic || std::find(revoked_.begin(), revoked_.end(), assignment) != revoked_.end()) continue;
      revoked_.push_back(assignment);
      changes->revoked.push_back(assignment);
      ++leaving;
    }
    for (std::uint32_t i = 0; i < partitions && held < share; ++i) {
      Assignment taken{.topic = topic, .partition = i, .generation = 0};
      if (!IsFree(Cell(topic, i).owner.load(), page_topic) || !Take(&taken)) continue;
      owned_.push_back(taken);
      changes->assigned.push_back(taken);
      ++seen_[slot_.load()].total;
      ++held;
    }
  }

  bool Take(Assignment* taken) {
    page::Partition& cell = Cell(taken->topic, taken->partition);
    std::uint64_t owner = cell.owner.load();
    taken->generation = (page::OwnerGeneration(owner) + 1) & page::kOffsetMask;
    const std::uint64_t mine = page::Owner(taken->generation, slot_.load() + 1);
    if (!cell.owner.compare_exchange_strong(owner, mine)) return false;
    std::uint64_t word = cell.commit.load();
    do {
      if (page::TagDistance(taken->generation, word >> 48) <= 0) return false;  // Someone took it after us already.
    } while (!cell.commit.compare_exchange_weak(word, page::CommitWord(taken->generation, word)));
    return Check(*taken) == Status::kOk;
  }

  const GroupOptions options_;
  const std::unique_ptr<GroupFile> file_;
  page::Page* const page_;
  const std::vector<std::uint32_t> indices_;  // Our topics' places in the page.
  std::uint64_t mask_ = 0;
  std::uint64_t start_ticks_ = 0;
  std::uint64_t namespace_ = 0;
  std::uint64_t last_heartbeat_ = 0;
  bool left_ = false;
  std::atomic<std::uint32_t> slot_{0};
  std::atomic<std::uint64_t> identity_{0};
  std::vector<Assignment> owned_;
  std::vector<Assignment> revoked_;  // Of owned_: asked to be released.
  std::array<Seen, kMembersMax> seen_;
  std::array<std::uint64_t, kMembersMax> first_seen_ms_ = {};
};

}  // namespace

std::unique_ptr<Group> Group::Join(const GroupOptions& options, std::string* error) {
  GroupOptions filled = options;
  if (!filled.now_ns) filled.now_ns = MonotonicNs;
  if (filled.topics.empty()) {
    *error = "a group needs a topic";
    return nullptr;
  }
  auto file = GroupFile::Open(filled.directory, filled.group, filled.log_id, true, error);
  if (file == nullptr) return nullptr;
  std::vector<std::uint32_t> indices;
  for (const GroupTopic& topic : filled.topics) {
    const int index = file->EnsureTopic(topic.name, topic.partitions);
    if (index < 0) {
      *error = "topic " + topic.name + ": bad name, or more than 256 partitions or 48 topics in the group";
      return nullptr;
    }
    indices.push_back(static_cast<std::uint32_t>(index));
  }
  if (filled.durable) file->page()->header.durable.store(1);
  auto group = std::make_unique<PageGroup>(std::move(filled), std::move(file), std::move(indices));
  if (!group->Enter()) {
    *error = "the group has 64 members already";
    return nullptr;
  }
  return group;
}

std::optional<std::uint64_t> CommittedOf(const std::string& directory, const std::string& log_id, const std::string& group,
                                         const std::string& topic, std::uint32_t partition) {
  std::string error;
  const auto file = GroupFile::Open(directory, group, log_id, false, &error);
  if (file == nullptr || partition >= kPartitionsMax) return std::nullopt;
  const int index = file->FindTopic(topic);
  if (index < 0) return std::nullopt;
  return OffsetOf(file->page()->partitions[static_cast<std::uint32_t>(index) * kPartitionsMax + partition]);
}

std::optional<std::uint64_t> DurableFloor(const std::string& directory, const std::string& log_id, const std::string& topic,
                                          std::uint32_t partition) {
  std::optional<std::uint64_t> floor;
  if (partition >= kPartitionsMax) return floor;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(directory + "/groups", failed)) {
    if (entry.path().extension() != ".group") continue;
    std::string error;
    const auto file = GroupFile::Open(directory, entry.path().stem().string(), log_id, false, &error);
    if (file == nullptr || file->page()->header.durable.load() == 0) continue;
    const int index = file->FindTopic(topic);
    if (index < 0) continue;
    const std::uint64_t needed =
        OffsetOf(file->page()->partitions[static_cast<std::uint32_t>(index) * kPartitionsMax + partition]).value_or(0);
    floor = std::min(floor.value_or(needed), needed);
  }
  return floor;
}

}  // namespace tw::journal
