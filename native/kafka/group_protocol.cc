// Which of Kafka's group protocols to use and why, and what a member's client is told.
#include <algorithm>
#include <charconv>
#include <optional>

#include "kafka/group.h"

namespace tw::kafka {
namespace {

constexpr std::uint32_t kSessionMsMax = 10'000;  // A broker that waits longer for a dead member breaks our promise.
// A dead member is found out between a session and a heartbeat later, and its partitions are to be another's within 6 s.
constexpr std::uint32_t kClassicSessionMs = 4'500;
// Kafka's own least, when the broker does not tell its.
constexpr std::uint32_t kBrokerSessionMsMin = 6'000;

// A hung owner no longer ticks after hung_ms, and its member leaves this much later: 16 s of the 20 that are promised.
constexpr std::uint32_t kPollIntervalMsMin = 10'000;

std::optional<std::uint32_t> MsOf(const std::vector<ConfigEntry>& entries, const char* name) {
  for (const ConfigEntry& entry : entries) {
    if (entry.name != name || !entry.value.has_value()) continue;
    std::uint32_t ms = 0;
    const auto [end, failed] = std::from_chars(entry.value->data(), entry.value->data() + entry.value->size(), ms);
    if (failed == std::errc()) return ms;
  }
  return std::nullopt;
}

}  // namespace

GroupSetup ChooseProtocol(Admin* admin, const std::string& wanted, std::uint32_t hung_ms, std::string* why) {
  ClusterInfo cluster;
  std::vector<ConfigEntry> entries;
  Failure failure = admin->Cluster(2'000, &cluster);
  if (!failure && !cluster.brokers.empty()) failure = admin->BrokerConfig(cluster.brokers[0].id, 2'000, &entries);
  GroupSetup setup;
  // A classic session is asked for by the member, above the least that the broker allows.
  const std::uint32_t least = MsOf(entries, "group.min.session.timeout.ms").value_or(kBrokerSessionMsMin);
  setup.session_ms = std::max(std::min(hung_ms, kClassicSessionMs), least);
  const auto session = MsOf(entries, "group.consumer.session.timeout.ms");
  if (wanted == "classic") {
    *why = "classic: as configured";
  } else if (failure) {
    *why = "classic: the broker's settings cannot be read (" + failure.code + ")";
  } else if (!session.has_value()) {
    *why = "classic: this broker has no KIP-848 groups";
  } else if (*session > kSessionMsMax && wanted != "consumer") {
    *why = "classic: the broker's group.consumer.session.timeout.ms is " + std::to_string(*session) + ", more than " + std::to_string(kSessionMsMax);
  } else {
    setup.protocol = GroupProtocol::kConsumer;
    setup.session_ms = *session;
    *why = "consumer (KIP-848): the broker's group.consumer.session.timeout.ms is " + std::to_string(*session);
  }
  return setup;
}

Properties GroupProperties(const Properties& cluster, const journal::GroupOptions& options, const GroupSetup& setup) {
  Properties all = cluster;
  all["group.id"] = options.group;
  all["enable.auto.commit"] = "false";
  all["enable.auto.offset.store"] = "false";
  all["auto.offset.reset"] = "latest";
  all["max.poll.interval.ms"] = std::to_string(std::max(setup.session_ms, kPollIntervalMsMin));
  if (!setup.instance_id.empty()) all["group.instance.id"] = options.group + "-" + setup.instance_id;
  if (setup.protocol == GroupProtocol::kConsumer) {
    all["group.protocol"] = "consumer";
  } else {
    all["partition.assignment.strategy"] = "cooperative-sticky";
    all["session.timeout.ms"] = std::to_string(setup.session_ms);
    all["heartbeat.interval.ms"] = std::to_string(std::max(setup.session_ms / 10, 1u));
  }
  return all;
}

}  // namespace tw::kafka
