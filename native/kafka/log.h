// The log on a Kafka cluster: the engine behind journal/log.h. Positions are Kafka's offsets, one per message.
//
// Threads:   thread-safe, as log.h says. When the brokers are away: opening fails with the reason; what is open goes on by itself
//            when they are back, appends answer kBusy meanwhile and readers kPending or kEnd.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "journal/log.h"
#include "kafka/client.h"

namespace tw::kafka {

struct KafkaLogOptions {
  std::string group_protocol = "auto";  // auto, consumer, classic.
  std::string instance_id;              // Static group membership; empty: none.
  std::int32_t replication = 3;         // Of topics that are made here; at most the number of brokers.
  std::int32_t min_isr = 2;             // At most the replication.
  int timeout_ms = 10'000;              // For opening.
  ClientEvents events;
};

// Null: *error says why.
std::shared_ptr<journal::Log> OpenLog(const Properties& properties, const KafkaLogOptions& options, std::string* error);

}  // namespace tw::kafka
