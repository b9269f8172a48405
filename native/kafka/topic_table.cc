#include "kafka/topic_table.h"

#include <time.h>

#include <charconv>

namespace tw::kafka {
namespace {

constexpr std::uint64_t kAgeMaxNs = 10'000'000'000ull;
constexpr std::uint64_t kMissingAgeMaxNs = 100'000'000ull;  // A topic that was not there may be made any moment.
constexpr int kTimeoutMs = 2'000;

std::uint64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000ull + static_cast<std::uint64_t>(now.tv_nsec);
}

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
  return Look(name, out);
}

bool TopicTable::Look(const std::string& name, TopicFacts* out) {
  std::vector<TopicInfo> topics;
  std::vector<ResourceConfig> configs;
  Failure failure = admin_->Topics({name}, kTimeoutMs, &topics);
  Entry fresh;
  fresh.found = !failure && !topics.empty();
  if (fresh.found) {
    fresh.facts.id = topics[0].id;
    fresh.facts.partitions = static_cast<std::uint32_t>(topics[0].partitions.size());
    // Without the right to read configurations the defaults stand.
    if (!admin_->TopicConfigs({name}, kTimeoutMs, &configs) && !configs.empty()) {
      for (const ConfigEntry& entry : configs[0].entries) {
        if (entry.name == "max.message.bytes") fresh.facts.message_bytes_max = static_cast<std::uint64_t>(NumberOf(entry, 0));
        if (entry.name == "retention.ms") fresh.facts.retention_ms = NumberOf(entry, -1);
        if (entry.name == "retention.bytes") fresh.facts.retention_bytes = NumberOf(entry, -1);
        if (entry.name == "cleanup.policy") fresh.facts.compact = entry.value.value_or("").find("compact") != std::string::npos;
      }
    }
  }
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[name];
  entry.looked_ns = NowNs();
  // An answer that did not come says nothing: what was known stays true.
  if (!failure) {
    entry.found = fresh.found;
    entry.facts = fresh.facts;
  }
  *out = entry.facts;
  return entry.found;
}

std::vector<std::string> TopicTable::Names() {
  std::vector<std::string> names;
  if (!admin_->TopicNames(kTimeoutMs, &names)) return names;
  const std::lock_guard lock(mutex_);
  names.clear();
  for (const auto& [name, entry] : entries_) {
    if (entry.found) names.push_back(name);
  }
  return names;
}

void TopicTable::Forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  entries_.erase(name);
}

}  // namespace tw::kafka
