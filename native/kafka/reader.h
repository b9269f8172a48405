// Readers of topic partitions. Each has a librdkafka queue of its own; the client behind it fetches in the background.
//
// Reads:     partitions of the cluster; writes nothing. Threads: a Reader belongs to one thread; the pool is thread-safe.
// When slow: librdkafka stops fetching a partition at kQueuedKbytes; nothing is dropped.
#pragma once
#include <librdkafka/rdkafka.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "journal/log.h"
#include "kafka/admin.h"
#include "kafka/client.h"
#include "kafka/wake_hub.h"

namespace tw::kafka {

// Clients that fetch. A client can read a partition once, so a second reader of it gets another client.
class FetcherPool {
 public:
  FetcherPool(Properties properties, ClientEvents events, std::shared_ptr<Admin> admin);

  struct Fetcher {
    std::unique_ptr<Client> client;
    std::set<std::pair<std::string, std::uint32_t>> taken;  // Under the pool's lock, like `known`.
    std::set<std::pair<std::string, std::uint32_t>> known;  // Partitions whose leader the client has heard of.
  };
  // Null: *error says why the client could not be made.
  std::shared_ptr<Fetcher> Take(const std::string& topic, std::uint32_t partition, std::string* error);
  bool Knows(Fetcher* fetcher, const std::string& topic, std::uint32_t partition);
  void Know(Fetcher* fetcher, const std::string& topic, std::uint32_t partition);
  void Release(Fetcher* fetcher, const std::string& topic, std::uint32_t partition);

  const std::shared_ptr<Admin>& admin() const { return admin_; }
  WakeHub& hub() { return hub_; }

 private:
  const Properties properties_;
  const ClientEvents events_;
  const std::shared_ptr<Admin> admin_;
  WakeHub hub_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Fetcher>> fetchers_;
};

// `exact`: a topic that is not the engine's; its messages are fixed-layout records, one each, or opaque.
std::unique_ptr<journal::Reader> OpenReader(std::shared_ptr<FetcherPool> pool, const std::string& topic, std::uint32_t partition,
                                            bool exact, journal::Status* status);

}  // namespace tw::kafka
