#include "kafka/log.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include "kafka/appender.h"
#include "kafka/group.h"
#include "kafka/names.h"
#include "kafka/reader.h"
#include "kafka/topic_table.h"

namespace tw::kafka {
namespace {

using journal::Status;

constexpr int kTimeoutMs = 10'000;
constexpr std::uint64_t kSegmentBytesMin = 1 << 20;  // Kafka's own least.

class HubWaiter final : public journal::Waiter {
 public:
  explicit HubWaiter(std::shared_ptr<FetcherPool> pool) : pool_(std::move(pool)) {}
  std::uint32_t Ticket() const override { return pool_->hub().ticket(); }
  bool Wait(std::uint32_t ticket, std::uint32_t timeout_ms) override { return pool_->hub().Wait(ticket, timeout_ms); }
  void Interrupt() override { pool_->hub().Bump(); }

 private:
  const std::shared_ptr<FetcherPool> pool_;
};

class KafkaLog final : public journal::Log {
 public:
  KafkaLog(Properties properties, KafkaLogOptions options, std::shared_ptr<Admin> admin, ClusterInfo cluster)
      : properties_(std::move(properties)),
        options_(std::move(options)),
        admin_(std::move(admin)),
        cluster_(std::move(cluster)),
        table_(admin_.get()),
        pool_(std::make_shared<FetcherPool>(properties_, options_.events, admin_)) {}
  // Calls that other threads still wait for end now.
  ~KafkaLog() override { admin_->Cancel(); }

  const std::string& id() const override { return cluster_.id; }
  const std::string& directory() const override { return directory_; }

  std::string TopicId(std::string_view topic) const override {
    TopicFacts facts;
    return table_.Find(KafkaName(topic), &facts) && !facts.id.empty() ? facts.id : cluster_.id;
  }

  // Makes the topic when it is not there. One that is there stays as it is: partitions grow by a procedure that keeps the order
  // of keys, and settings change by a plan that can be read first (`tickwire topics`).
  Status EnsureTopic(const journal::TopicOptions& options, std::string* error) override {
    const std::string name = KafkaName(options.name);
    TopicFacts facts;
    if (table_.Find(name, &facts)) return Status::kOk;
    // As many copies as there are brokers now, not when the log was opened.
    ClusterInfo now;
    const bool told = !admin_->Cluster(kTimeoutMs, &now);
    const auto brokers = static_cast<std::int32_t>(told ? now.brokers.size() : cluster_.brokers.size());
    const auto replication = std::min(options_.replication, brokers);
    const std::string bytes = std::to_string(std::max(options.segment_bytes, kSegmentBytesMin));
    NewTopic topic;
    topic.name = name;
    topic.partitions = static_cast<std::int32_t>(options.partitions);
    topic.replication_factor = replication;
    topic.config = {
        {"cleanup.policy", options.compact ? "compact" : "delete"},
        {"retention.ms", std::to_string(options.retention_ms)},
        {"retention.bytes", std::to_string(options.retention_bytes)},
        {"segment.bytes", bytes},
        {"max.message.bytes", bytes},
        {"min.insync.replicas", std::to_string(std::min(options_.min_isr, replication))},
        {"compression.type", "producer"},
        {"message.timestamp.type", "CreateTime"},
        {"message.timestamp.after.max.ms", "9223372036854775807"},
    };
    std::vector<Outcome> outcomes;
    Failure failure = admin_->CreateTopics({topic}, false, kTimeoutMs, &outcomes);
    if (!failure && !outcomes.empty()) failure = outcomes[0].failure;
    table_.Forget(name);
    if (!failure || failure.code == "TOPIC_ALREADY_EXISTS") return AwaitLeaders(name, error);
    *error = failure.text.empty() ? failure.code : failure.text;
    return failure.code.starts_with("_") || failure.code == "TOPIC_AUTHORIZATION_FAILED" ? Status::kIoError : Status::kInvalid;
  }

  bool FindTopic(std::string_view name, journal::TopicOptions* out) const override {
    TopicFacts facts;
    if (!table_.Find(KafkaName(name), &facts)) return false;
    *out = OptionsOf(std::string(name), facts);
    return true;
  }

  std::vector<journal::TopicOptions> ListTopics() const override {
    std::vector<journal::TopicOptions> topics;
    for (const auto& [kafka_name, facts] : table_.All()) {
      if (const auto name = LogName(kafka_name)) topics.push_back(OptionsOf(*name, facts));
    }
    return topics;
  }

  std::unique_ptr<journal::Appender> OpenAppender(std::string_view topic, std::uint32_t partition, Status* status) override {
    Status ignored = Status::kOk;
    if (status == nullptr) status = &ignored;
    const std::string name = KafkaName(topic);
    TopicFacts facts;
    *status = Status::kNotFound;
    if (!table_.Find(name, &facts) || partition >= facts.partitions) return nullptr;
    const auto producer = GetProducer();
    *status = producer == nullptr ? Status::kIoError : Status::kOk;
    return producer == nullptr ? nullptr : MakeAppender(producer, name, partition, facts.message_bytes_max);
  }

  std::unique_ptr<journal::Reader> OpenReader(std::string_view topic, std::uint32_t partition, Status* status) const override {
    Status ignored = Status::kOk;
    if (status == nullptr) status = &ignored;
    const std::string name = KafkaName(topic);
    TopicFacts facts;
    *status = Status::kNotFound;
    if (!table_.Find(name, &facts) || partition >= facts.partitions) return nullptr;
    return kafka::OpenReader(pool_, name, partition, topic.starts_with(kExactPrefix), status);
  }

  std::unique_ptr<journal::Waiter> OpenWaiter() const override { return std::make_unique<HubWaiter>(pool_); }

  Status Describe(std::string_view topic, std::uint32_t partition, journal::PartitionInfo* out) const override {
    std::vector<OffsetRange> ranges;
    const Failure failure = admin_->Offsets({{KafkaName(topic), static_cast<std::int32_t>(partition)}}, kTimeoutMs, &ranges);
    if (failure) return failure.code.starts_with("UNKNOWN_TOPIC") ? Status::kNotFound : Status::kIoError;
    if (ranges.empty()) return Status::kNotFound;
    *out = {};
    out->begin_offset = static_cast<std::uint64_t>(ranges[0].begin);
    out->end_offset = static_cast<std::uint64_t>(ranges[0].end);
    return Status::kOk;
  }

  std::unique_ptr<journal::Group> JoinGroup(const journal::GroupOptions& options, std::string* error) override {
    std::string why;
    const GroupSetup chosen = ChooseProtocol(admin_.get(), options_.group_protocol, options.hung_ms, &why);
    GroupSetup setup = chosen;
    setup.instance_id = options_.instance_id;
    auto member = KafkaGroup::Join(properties_, options_.events, options, setup, error);
    if (member == nullptr) return nullptr;
    if (options_.events.on_log) options_.events.on_log(6, "group " + options.group + ": protocol " + why);
    auto shared = std::make_shared<Membership>(std::move(member));
    const std::lock_guard lock(mutex_);
    std::erase_if(memberships_, [](const auto& entry) { return entry.second.expired(); });
    memberships_.emplace(options.group, shared);
    return std::make_unique<SharedGroup>(shared);
  }

  std::optional<std::uint64_t> Committed(const std::string& group, const std::string& topic, std::uint32_t partition) const override {
    // What a member in this process has committed is seen by who asks here next.
    std::vector<std::shared_ptr<Membership>> members;
    {
      const std::lock_guard lock(mutex_);
      const auto [begin, end] = memberships_.equal_range(group);
      for (auto at = begin; at != end; ++at) {
        if (auto member = at->second.lock()) members.push_back(std::move(member));
      }
    }
    for (const auto& member : members) member->group->FlushCommits(1'000);
    std::vector<PartitionOffset> found;
    if (admin_->Committed(group, kTimeoutMs, &found)) return std::nullopt;
    const TopicPartition at{KafkaName(topic), static_cast<std::int32_t>(partition)};
    for (const PartitionOffset& each : found) {
      if (each.at == at && each.offset >= 0) return static_cast<std::uint64_t>(each.offset);
    }
    return std::nullopt;
  }

 private:
  struct Membership {
    explicit Membership(std::unique_ptr<KafkaGroup> joined) : group(std::move(joined)) {}
    const std::unique_ptr<KafkaGroup> group;
  };
  // The member's owner; Committed above looks at it while it lives.
  class SharedGroup final : public journal::Group {
   public:
    explicit SharedGroup(std::shared_ptr<Membership> membership) : membership_(std::move(membership)) {}
    ~SharedGroup() override { group().Leave(); }
    void Tick(Changes* changes) override { group().Tick(changes); }
    void Release(const journal::Assignment& assignment) override { group().Release(assignment); }
    void Leave() override { group().Leave(); }
    bool Grow(std::uint32_t topic, std::uint32_t partitions) override { return group().Grow(topic, partitions); }
    Status Commit(const journal::Assignment& assignment, std::uint64_t offset) override { return group().Commit(assignment, offset); }
    Status Check(const journal::Assignment& assignment) const override { return group().Check(assignment); }
    std::optional<std::uint64_t> Committed(std::uint32_t topic, std::uint32_t partition) const override {
      return group().Committed(topic, partition);
    }
    std::uint64_t generation() const override { return group().generation(); }
    std::vector<MemberInfo> Members() const override { return group().Members(); }

   private:
    KafkaGroup& group() const { return *membership_->group; }
    const std::shared_ptr<Membership> membership_;
  };

  static journal::TopicOptions OptionsOf(std::string name, const TopicFacts& facts) {
    journal::TopicOptions options;
    options.name = std::move(name);
    options.partitions = facts.partitions;
    if (facts.message_bytes_max != 0) options.segment_bytes = facts.message_bytes_max;
    options.retention_ms = facts.retention_ms;
    options.retention_bytes = facts.retention_bytes;
    options.compact = facts.compact;
    return options;
  }

  // A topic that was just made has no leaders for a moment.
  Status AwaitLeaders(const std::string& name, std::string* error) {
    for (int i = 0; i < 100; ++i) {
      std::vector<TopicInfo> topics;
      const Failure failure = admin_->Topics({name}, kTimeoutMs, &topics);
      const bool whole = !failure && !topics.empty() && std::all_of(topics[0].partitions.begin(), topics[0].partitions.end(),
                                                                    [](const PartitionState& each) { return each.leader >= 0; });
      if (whole) return Status::kOk;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    *error = name + " was made and has partitions without a leader";
    return Status::kBusy;
  }

  std::shared_ptr<Producer> GetProducer() {
    const std::lock_guard lock(mutex_);
    std::string ignored;
    if (producer_ == nullptr) producer_ = Producer::Make(properties_, options_.events, &ignored);
    return producer_;
  }

  const Properties properties_;
  const KafkaLogOptions options_;
  const std::shared_ptr<Admin> admin_;
  const ClusterInfo cluster_;
  const std::string directory_;
  mutable TopicTable table_;
  const std::shared_ptr<FetcherPool> pool_;
  mutable std::mutex mutex_;  // What follows.
  std::shared_ptr<Producer> producer_;
  std::multimap<std::string, std::weak_ptr<Membership>> memberships_;
};

}  // namespace

std::shared_ptr<journal::Log> OpenLog(const Properties& given, const KafkaLogOptions& options, std::string* error) {
  const Properties properties = WithDefaults(given);
  std::shared_ptr<Admin> admin = Admin::Make(properties, error);
  if (admin == nullptr) return nullptr;
  ClusterInfo cluster;
  if (const Failure failure = admin->Cluster(options.timeout_ms, &cluster)) {
    *error = failure.code + ": " + failure.text;
    return nullptr;
  }
  return std::make_shared<KafkaLog>(properties, options, std::move(admin), std::move(cluster));
}

}  // namespace tw::kafka
