// A member of a Kafka consumer group that knows only who owns what: data is read by readers of their own, so this client
// fetches nothing. Works with the KIP-848 protocol and the classic one (cooperative-sticky).
//
// Threads:   Tick, Release and Leave belong to one thread. Commit, Check and Committed are for any thread. One thread of its own
//            sends commits, one request at a time; what is committed meanwhile goes with the next.
// Fencing:   a commit goes out only while this member holds the partition in the generation it names, and the broker refuses it
//            when the member is no longer one. A member that did not Tick for the session's length takes itself for dead.
#pragma once
#include <memory>
#include <string>

#include "journal/group.h"
#include "kafka/admin.h"
#include "kafka/client.h"

namespace tw::kafka {

enum class GroupProtocol : std::uint8_t { kClassic, kConsumer };

struct GroupSetup {
  GroupProtocol protocol = GroupProtocol::kClassic;
  std::uint32_t session_ms = 6'000;
  std::string instance_id;  // Static membership; empty: none.
};

class KafkaGroup : public journal::Group {
 public:
  // Null: *error says why.
  static std::unique_ptr<KafkaGroup> Join(const Properties& properties, ClientEvents events, const journal::GroupOptions& options,
                                          const GroupSetup& setup, std::string* error);
  // Waits until what was committed so far is with the broker, at most so long.
  virtual void FlushCommits(std::uint32_t timeout_ms) = 0;
};

// KIP-848 where the broker has it and its session is at most 10 s (it is set on the broker), else classic with 4.5 s, or the least
// that the broker allows. *why says which and why.
GroupSetup ChooseProtocol(Admin* admin, const std::string& wanted, std::uint32_t hung_ms, std::string* why);

// The properties of a member's client: the cluster's, and those of the group and its protocol.
Properties GroupProperties(const Properties& cluster, const journal::GroupOptions& options, const GroupSetup& setup);

}  // namespace tw::kafka
