// Names of the log's topics on a Kafka cluster. A public topic's plain name is its open view, for everybody else; the engine's
// own batches stand in `{name}.batch`. The engine's internal topics and dead letters have one form and one name.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace tw::kafka {

inline constexpr std::string_view kBatchSuffix = ".batch";
// Before a topic's exact name on Kafka: reads a view, or any other topic of the cluster.
inline constexpr std::string_view kExactPrefix = "kafka:";
// Header of a message that is no batch: its value is whatever its writer says.
inline constexpr const char* kKindHeader = "tw-kind";
inline constexpr const char* kKindOpaque = "o";

inline bool HasView(std::string_view name) { return name.starts_with("market.") && !name.ends_with(".dlq"); }

inline std::string KafkaName(std::string_view name) {
  if (name.starts_with(kExactPrefix)) return std::string(name.substr(kExactPrefix.size()));
  return HasView(name) ? std::string(name) + std::string(kBatchSuffix) : std::string(name);
}

// nullopt: a topic that is not the log's: a view, or somebody else's.
inline std::optional<std::string> LogName(std::string_view kafka_name) {
  if (kafka_name.starts_with("__")) return std::nullopt;
  if (kafka_name.ends_with(kBatchSuffix)) return std::string(kafka_name.substr(0, kafka_name.size() - kBatchSuffix.size()));
  if (HasView(kafka_name)) return std::nullopt;
  return std::string(kafka_name);
}

}  // namespace tw::kafka
