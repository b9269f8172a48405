#include "kafka/group.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "kafka/group_parts.h"
#include "kafka/names.h"

namespace tw::kafka {
namespace {

using journal::Assignment;
using journal::Status;

constexpr int kCommittedTimeoutMs = 1'000;
constexpr std::uint32_t kLeaveMs = 3'000;
constexpr auto kRetryCommit = std::chrono::milliseconds(100);
// Takings of one partition within one Kafka generation: a member that took itself for dead and joined again.
constexpr unsigned kTakingBits = 12;

class Member final : public KafkaGroup {
 public:
  using Key = std::pair<std::uint32_t, std::uint32_t>;  // Topic, partition.

  Member(journal::GroupOptions options, std::uint32_t session_ms) : options_(std::move(options)), session_ns_(session_ms * 1'000'000ull) {
    for (const journal::GroupTopic& topic : options_.topics) names_.push_back(KafkaName(topic.name));
  }
  ~Member() override { Leave(); }

  bool Start(const Properties& properties, ClientEvents events, const GroupSetup& setup, std::string* error) {
    client_ = Client::Make(RD_KAFKA_CONSUMER, GroupProperties(properties, options_, setup), std::move(events), error, [this](rd_kafka_conf_t* conf) {
      rd_kafka_conf_set_rebalance_cb(conf, [](rd_kafka_t* rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions, void*) {
        if (current_ != nullptr) current_->OnRebalance(rk, code, partitions);
      });
    });
    if (client_ == nullptr) return false;
    rd_kafka_poll_set_consumer(client_->handle());
    if (!Subscribe(error)) return false;
    last_tick_ns_.store(NowNs());
    committer_ = std::thread([this] { CommitLoop(); });
    return true;
  }

  void Tick(Changes* changes) override {
    const std::uint64_t now = NowNs();
    const std::uint64_t before = last_tick_ns_.exchange(now);
    changes_ = changes;
    if (now - before > session_ns_) Rejoin();
    Serve();
    if (rd_kafka_fatal_error(client_->handle(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) FenceAll();
    if (!unfetched_.empty()) Take();
    ReportFenced();
    FinishRevoking();
    changes_ = nullptr;
  }

  void Release(const Assignment& assignment) override {
    {
      const std::lock_guard lock(mutex_);
      const auto at = owned_.find({assignment.topic, assignment.partition});
      if (at != owned_.end() && at->second.generation == assignment.generation) at->second.released = true;
    }
    FinishRevoking();
  }

  void Leave() override {
    if (client_ == nullptr) return;
    FlushCommits(kLeaveMs);
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (committer_.joinable()) committer_.join();
    leaving_ = true;
    {
      const Current current(this);
      rd_kafka_consumer_close(client_->handle());
    }
    const std::lock_guard lock(mutex_);
    owned_.clear();
    client_.reset();
  }

  // Partitions that a topic gained come with the client's next look at it.
  bool Grow(std::uint32_t, std::uint32_t) override { return true; }

  Status Commit(const Assignment& assignment, std::uint64_t offset) override {
    const std::lock_guard lock(mutex_);
    Owned* owned = Find(assignment);
    if (owned == nullptr || !Alive()) return Status::kFenced;
    if (owned->committed == offset) return Status::kOk;
    owned->wanted = offset;
    changed_.notify_all();
    return Status::kOk;
  }

  Status Check(const Assignment& assignment) const override {
    const std::lock_guard lock(mutex_);
    return const_cast<Member*>(this)->Find(assignment) != nullptr && Alive() ? Status::kOk : Status::kFenced;
  }

  std::optional<std::uint64_t> Committed(std::uint32_t topic, std::uint32_t partition) const override {
    const std::lock_guard lock(mutex_);
    const auto at = owned_.find({topic, partition});
    return at == owned_.end() ? std::nullopt : at->second.committed;
  }

  std::uint64_t generation() const override { return generation_.load(); }
  std::vector<MemberInfo> Members() const override { return {}; }

  void FlushCommits(std::uint32_t timeout_ms) override {
    std::unique_lock lock(mutex_);
    // What is wanted now goes with the next commit at the latest.
    const std::uint64_t last = rounds_ + (sending_.empty() ? 1 : 2);
    changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                      [&] { return stopping_ || rounds_ >= last || (sending_.empty() && !AnyWanted()); });
  }

 private:
  struct Owned {
    std::uint64_t generation = 0;
    std::optional<std::uint64_t> committed;
    std::optional<std::uint64_t> wanted;  // To be committed.
    bool revoking = false;
    bool released = false;
    bool fenced = false;
  };
  // Rebalances are told to whoever serves the client on this thread, and to nobody else.
  struct Current {
    explicit Current(Member* member) { current_ = member; }
    ~Current() { current_ = nullptr; }
  };

  bool Subscribe(std::string* error) {
    const List list(rd_kafka_topic_partition_list_new(static_cast<int>(names_.size())));
    for (const std::string& name : names_) rd_kafka_topic_partition_list_add(list.get(), name.c_str(), RD_KAFKA_PARTITION_UA);
    const rd_kafka_resp_err_t refused = rd_kafka_subscribe(client_->handle(), list.get());
    if (refused == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    *error = rd_kafka_err2str(refused);
    return false;
  }

  void Serve() {
    const Current current(this);
    while (rd_kafka_message_t* message = rd_kafka_consumer_poll(client_->handle(), 0)) rd_kafka_message_destroy(message);
  }

  bool Alive() const { return NowNs() - last_tick_ns_.load() <= session_ns_; }

  Owned* Find(const Assignment& assignment) {
    const auto at = owned_.find({assignment.topic, assignment.partition});
    if (at == owned_.end() || at->second.generation != assignment.generation || at->second.fenced || at->second.released) return nullptr;
    return &at->second;
  }

  std::optional<Key> KeyOf(const rd_kafka_topic_partition_t& item) const {
    for (std::uint32_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == item.topic) return Key{i, static_cast<std::uint32_t>(item.partition)};
    }
    return std::nullopt;
  }

  void OnRebalance(rd_kafka_t* rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions) {
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      for (int i = 0; i < partitions->cnt; ++i) partitions->elems[i].offset = RD_KAFKA_OFFSET_END;
      DropError(rd_kafka_incremental_assign(rk, partitions));
      rd_kafka_pause_partitions(rk, partitions);
      rd_kafka_consumer_group_metadata_t* group = rd_kafka_consumer_group_metadata(rk);
      generation_.store(static_cast<std::uint64_t>(std::max(rd_kafka_consumer_group_metadata_generation_id(group), 0)));
      rd_kafka_consumer_group_metadata_destroy(group);
      for (int i = 0; i < partitions->cnt; ++i) {
        if (const auto key = KeyOf(partitions->elems[i])) unfetched_.push_back(*key);
      }
      return;
    }
    const bool lost = leaving_ || rd_kafka_assignment_lost(rk) != 0 || code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS;
    if (lost) {
      DropAll(partitions);
      DropError(rd_kafka_incremental_unassign(rk, partitions));
      return;
    }
    bool any = false;
    {
      const std::lock_guard lock(mutex_);
      for (int i = 0; i < partitions->cnt; ++i) {
        const auto key = KeyOf(partitions->elems[i]);
        if (!key.has_value()) continue;
        std::erase(unfetched_, *key);
        const auto at = owned_.find(*key);
        if (at == owned_.end()) continue;
        at->second.revoking = true;
        any = true;
        if (changes_ != nullptr) changes_->revoked.push_back({key->first, key->second, at->second.generation});
      }
    }
    // The answer to the group waits until the owner released them all and its commits are with the broker.
    revoking_.reset(rd_kafka_topic_partition_list_copy(partitions));
    if (!any) FinishRevoking();
  }

  static void DropError(rd_kafka_error_t* error) {
    if (error != nullptr) rd_kafka_error_destroy(error);
  }

  // They may be another's already. A commit under way goes out in the old generation or not at all, so it is waited for.
  void DropAll(const rd_kafka_topic_partition_list_t* partitions) {
    std::unique_lock lock(mutex_);
    std::vector<Key> dropped;
    for (int i = 0; i < partitions->cnt; ++i) {
      const auto key = KeyOf(partitions->elems[i]);
      if (!key.has_value()) continue;
      std::erase(unfetched_, *key);
      dropped.push_back(*key);
      const auto at = owned_.find(*key);
      if (at == owned_.end()) continue;
      if (changes_ != nullptr) changes_->lost.push_back({key->first, key->second, at->second.generation});
      owned_.erase(at);
    }
    revoking_.reset();
    changed_.wait_for(lock, std::chrono::milliseconds(kLeaveMs), [&] {
      return std::none_of(dropped.begin(), dropped.end(), [&](const Key& key) { return sending_.contains(key); });
    });
  }

  // This thread stood still for longer than the group waits for a member.
  void Rejoin() {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [key, owned] : owned_) changes_->lost.push_back({key.first, key.second, owned.generation});
      owned_.clear();
      unfetched_.clear();
    }
    changes_->evicted = true;
    if (revoking_ != nullptr) DropError(rd_kafka_incremental_unassign(client_->handle(), revoking_.get()));
    revoking_.reset();
    rd_kafka_unsubscribe(client_->handle());
    std::string ignored;
    Subscribe(&ignored);
  }

  // Assigned partitions become ours when it is known where their last owner stopped.
  void Take() {
    const List list(rd_kafka_topic_partition_list_new(static_cast<int>(unfetched_.size())));
    for (const Key& key : unfetched_) {
      rd_kafka_topic_partition_list_add(list.get(), names_[key.first].c_str(), static_cast<std::int32_t>(key.second));
    }
    if (rd_kafka_committed(client_->handle(), list.get(), kCommittedTimeoutMs) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    const std::lock_guard lock(mutex_);
    for (int i = 0; i < list->cnt; ++i) {
      const rd_kafka_topic_partition_t& item = list->elems[i];
      const auto key = KeyOf(item);
      if (!key.has_value() || item.err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      std::erase(unfetched_, *key);
      Owned owned;
      owned.generation = NextGeneration(*key);
      if (item.offset >= 0) owned.committed = static_cast<std::uint64_t>(item.offset);
      owned_[*key] = owned;
      changes_->assigned.push_back({key->first, key->second, owned.generation});
    }
  }

  std::uint64_t NextGeneration(const Key& key) {
    std::uint64_t& last = takings_[key];
    last = std::max(last + 1, generation_.load() << kTakingBits);
    return last;
  }

  // Another process has this member's place (the same instance id): nothing is ours any more.
  void FenceAll() {
    const std::lock_guard lock(mutex_);
    for (auto& [key, owned] : owned_) owned.fenced = true;
    unfetched_.clear();
  }

  void ReportFenced() {
    const std::lock_guard lock(mutex_);
    for (auto at = owned_.begin(); at != owned_.end();) {
      if (!at->second.fenced) {
        ++at;
        continue;
      }
      changes_->lost.push_back({at->first.first, at->first.second, at->second.generation});
      at = owned_.erase(at);
    }
  }

  void FinishRevoking() {
    if (revoking_ == nullptr) return;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [key, owned] : owned_) {
        if (!owned.revoking) continue;
        if (!owned.released || (owned.wanted.has_value() && !owned.fenced) || sending_.contains(key)) return;
      }
      std::erase_if(owned_, [](const auto& entry) { return entry.second.revoking; });
    }
    DropError(rd_kafka_incremental_unassign(client_->handle(), revoking_.get()));
    revoking_.reset();
  }

  bool AnyWanted() const {
    return std::any_of(owned_.begin(), owned_.end(), [](const auto& entry) { return entry.second.wanted.has_value() && !entry.second.fenced; });
  }

  void CommitLoop() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stopping_ || AnyWanted(); });
      if (stopping_) return;
      std::vector<std::pair<Key, Owned>> sent;
      const List list(rd_kafka_topic_partition_list_new(static_cast<int>(owned_.size())));
      for (const auto& [key, owned] : owned_) {
        if (!owned.wanted.has_value() || owned.fenced) continue;
        sent.emplace_back(key, owned);
        rd_kafka_topic_partition_list_add(list.get(), names_[key.first].c_str(), static_cast<std::int32_t>(key.second))->offset =
            static_cast<std::int64_t>(*owned.wanted);
      }
      for (const auto& [key, owned] : sent) sending_.insert(key);
      lock.unlock();
      const rd_kafka_resp_err_t error = rd_kafka_commit(client_->handle(), list.get(), 0);
      lock.lock();
      sending_.clear();
      ++rounds_;
      bool again = false;
      for (std::size_t i = 0; i < sent.size(); ++i) {
        const auto at = owned_.find(sent[i].first);
        if (at == owned_.end() || at->second.generation != sent[i].second.generation) continue;
        const rd_kafka_resp_err_t own = list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR ? list->elems[i].err : error;
        if (own == RD_KAFKA_RESP_ERR_NO_ERROR) {
          at->second.committed = sent[i].second.wanted;
          if (at->second.wanted == sent[i].second.wanted) at->second.wanted.reset();
        } else if (IsFencing(own) || (at->second.revoking && IsStale(own))) {
          at->second.fenced = true;
        } else {
          again = true;
        }
      }
      changed_.notify_all();
      // Whoever waits for this round looks before the next one is under way.
      lock.unlock();
      std::this_thread::yield();
      lock.lock();
      if (again) changed_.wait_for(lock, kRetryCommit, [&] { return stopping_; });
    }
  }

  static thread_local Member* current_;

  const journal::GroupOptions options_;
  const std::uint64_t session_ns_;
  std::vector<std::string> names_;  // On Kafka, in the order of options_.topics.
  std::unique_ptr<Client> client_;
  std::thread committer_;
  std::atomic<std::uint64_t> last_tick_ns_{0};
  std::atomic<std::uint64_t> generation_{0};
  // The ticking thread's.
  Changes* changes_ = nullptr;
  std::vector<Key> unfetched_;
  List revoking_;
  bool leaving_ = false;
  std::map<Key, std::uint64_t> takings_;

  mutable std::mutex mutex_;  // What follows.
  std::condition_variable changed_;
  std::map<Key, Owned> owned_;
  std::set<Key> sending_;      // In the commit under way.
  std::uint64_t rounds_ = 0;   // Commits that were answered.
  bool stopping_ = false;
};

thread_local Member* Member::current_ = nullptr;

}  // namespace

std::unique_ptr<KafkaGroup> KafkaGroup::Join(const Properties& properties, ClientEvents events, const journal::GroupOptions& options,
                                             const GroupSetup& setup, std::string* error) {
  auto member = std::make_unique<Member>(options, std::min(setup.session_ms, options.hung_ms));
  if (!member->Start(properties, std::move(events), setup, error)) return nullptr;
  return member;
}

}  // namespace tw::kafka
