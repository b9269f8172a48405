#include "kafka/topic_table.h"

#include <charconv>

#include "kafka/client.h"

namespace tw::kafka {
namespace {

constexpr std::uint64_t kAgeMaxNs = 10'000'000'000ull;
constexpr std::uint64_t kMissingAgeMaxNs = 100'000'000ull;  // A topic that was not there may be made any moment.
constexpr int kTimeoutMs = 2'000;

std::int64_t NumberOf(const ConfigEntry& entry, std::int64_t otherwise) {
  if (!entry.value.has_value()) return otherwise;
  std::int64_t number = otherwise;
  std::from_chars(entry.value->data(), entry.value->data() + entry.value->size(), number);
  return number;
}

}  // namespace

bool TopicTable::Find(const std::string& name, TopicFacts* out) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = entries_.find(name);
    if (known != entries_.end()) {
      const Entry& entry = known->second;
      if (NowNs() - entry.looked_ns < (entry.found ? kAgeMaxNs : kMissingAgeMaxNs)) {
        *out = entry.facts;
        return entry.found;
      }
    }
  }
  (void)Look({name});
  const std::lock_guard lock(mutex_);
  const Entry& entry = entries_[name];
  *out = entry.facts;
  return entry.found;
}

bool TopicTable::Look(const std::vector<std::string>& names) {
  std::vector<TopicInfo> topics;
  std::vector<ResourceConfig> configs;
  const Failure failure = admin_->Topics(names, kTimeoutMs, &topics);
  std::map<std::string, TopicFacts> facts;
  if (!failure && !topics.empty()) {
    std::vector<std::string> found;
    for (const TopicInfo& topic : topics) {
      found.push_back(topic.name);
      facts[topic.name] = {.id = topic.id, .partitions = static_cast<std::uint32_t>(topic.partitions.size())};
    }
    // Without the right to read configurations the defaults stand.
    (void)admin_->TopicConfigs(found, kTimeoutMs, &configs);
  }
  for (const ResourceConfig& config : configs) {
    TopicFacts& of = facts[config.name];
    for (const ConfigEntry& entry : config.entries) {
      if (entry.name == "max.message.bytes") of.message_bytes_max = static_cast<std::uint64_t>(NumberOf(entry, 0));
      if (entry.name == "retention.ms") of.retention_ms = NumberOf(entry, -1);
      if (entry.name == "retention.bytes") of.retention_bytes = NumberOf(entry, -1);
      if (entry.name == "cleanup.policy") of.compact = entry.value.value_or("").find("compact") != std::string::npos;
    }
  }
  const std::lock_guard lock(mutex_);
  for (const std::string& name : names) {
    Entry& entry = entries_[name];
    entry.looked_ns = NowNs();
    if (failure) continue;
    const auto at = facts.find(name);
    entry.found = at != facts.end();
    entry.facts = entry.found ? at->second : TopicFacts{};
  }
  return !failure;
}

std::vector<std::pair<std::string, TopicFacts>> TopicTable::All() {
  std::vector<std::string> names;
  if (!admin_->TopicNames(kTimeoutMs, &names)) (void)Look(names);
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, TopicFacts>> all;
  for (const auto& [name, entry] : entries_) {
    if (entry.found) all.emplace_back(name, entry.facts);
  }
  return all;
}

void TopicTable::Forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  entries_.erase(name);
}

}  // namespace tw::kafka
