// What the cluster says of the log's topics, remembered: the loops that follow the log ask for partitions several times a second.
//
// Threads:   thread-safe. Find of a topic that is known answers from memory, at most kAgeMaxMs old; an unknown one, or an old
//            answer, costs a call to a broker. Broker away: the old answer stands.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "journal/log.h"
#include "kafka/admin.h"

namespace tw::kafka {

struct TopicFacts {
  std::string id;
  std::uint32_t partitions = 0;
  std::uint64_t message_bytes_max = 0;
  std::int64_t retention_ms = -1;
  std::int64_t retention_bytes = -1;
  bool compact = false;
};

class TopicTable {
 public:
  explicit TopicTable(Admin* admin) : admin_(admin) {}

  // By the name on Kafka.
  bool Find(const std::string& name, TopicFacts* out);
  // Every topic of the cluster, asked in two calls; when it does not answer, those that are known.
  std::vector<std::pair<std::string, TopicFacts>> All();
  void Forget(const std::string& name);

 private:
  struct Entry {
    TopicFacts facts;
    std::uint64_t looked_ns = 0;
    bool found = false;
  };
  // False: no answer came, and what is known stands.
  bool Look(const std::vector<std::string>& names);

  Admin* const admin_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace tw::kafka
