// Clients that fetch, shared by readers.
#include "kafka/reader.h"

namespace tw::kafka {
namespace {

constexpr const char* kQueuedKbytes = "8192";

}  // namespace

FetcherPool::FetcherPool(Properties properties, ClientEvents events, std::shared_ptr<Admin> admin)
    : properties_(std::move(properties)), events_(std::move(events)), admin_(std::move(admin)) {}

std::shared_ptr<FetcherPool::Fetcher> FetcherPool::Take(const std::string& topic, std::uint32_t partition, std::string* error) {
  const std::lock_guard lock(mutex_);
  const auto key = std::make_pair(topic, partition);
  for (const auto& fetcher : fetchers_) {
    if (fetcher->taken.insert(key).second) return fetcher;
  }
  Properties properties = properties_;
  const Properties fetching = {
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},
      {"enable.partition.eof", "true"},
      {"check.crcs", "true"},
      {"fetch.min.bytes", "1"},
      // A partition that is read from now on waits for the fetch under way, so that one must not wait long.
      {"fetch.wait.max.ms", "50"},
      {"fetch.queue.backoff.ms", "5"},
      {"fetch.error.backoff.ms", "50"},
      {"fetch.message.max.bytes", "2097152"},
      {"queued.max.messages.kbytes", kQueuedKbytes},
      {"queued.min.messages", "1000000"},
  };
  for (const auto& [name, value] : fetching) properties.emplace(name, value);
  auto fetcher = std::make_shared<Fetcher>();
  fetcher->client = Client::Make(RD_KAFKA_CONSUMER, properties, events_, error);
  if (fetcher->client == nullptr) return nullptr;
  fetcher->taken.insert(key);
  fetchers_.push_back(fetcher);
  return fetcher;
}

bool FetcherPool::Knows(Fetcher* fetcher, const std::string& topic, std::uint32_t partition) {
  const std::lock_guard lock(mutex_);
  return fetcher->known.contains({topic, partition});
}

void FetcherPool::Know(Fetcher* fetcher, const std::string& topic, std::uint32_t partition) {
  const std::lock_guard lock(mutex_);
  fetcher->known.emplace(topic, partition);
}

void FetcherPool::Release(Fetcher* fetcher, const std::string& topic, std::uint32_t partition) {
  const std::lock_guard lock(mutex_);
  fetcher->taken.erase(std::make_pair(topic, partition));
}

}  // namespace tw::kafka
