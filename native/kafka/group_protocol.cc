// Which of Kafka's group protocols to use, and why.
#include <algorithm>
#include <charconv>
#include <optional>

#include "kafka/group.h"

namespace tw::kafka {
namespace {

constexpr std::uint32_t kSessionMsMax = 10'000;  // A broker that waits longer for a dead member breaks our promise.
constexpr std::uint32_t kClassicSessionMs = 6'000;

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
  GroupSetup setup;
  setup.session_ms = std::min(hung_ms, kClassicSessionMs);
  if (wanted == "classic") {
    *why = "classic: as configured";
    return setup;
  }
  ClusterInfo cluster;
  std::vector<ConfigEntry> entries;
  Failure failure = admin->Cluster(2'000, &cluster);
  if (!failure && !cluster.brokers.empty()) failure = admin->BrokerConfig(cluster.brokers[0].id, 2'000, &entries);
  if (failure) {
    *why = "classic: the broker's settings cannot be read (" + failure.code + ")";
    return setup;
  }
  const auto session = MsOf(entries, "group.consumer.session.timeout.ms");
  if (!session.has_value()) {
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

}  // namespace tw::kafka
