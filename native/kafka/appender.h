// Appends to topic partitions and waits for the acknowledgement of all in-sync replicas. For what has a low rate: bars, state,
// dead letters, definitions. Feeds go through the local log and its replicator (native/publish).
//
// Threads:   a Producer is thread-safe and owns one thread, which takes delivery reports. An Appender belongs to one thread.
// When full: an append that is not acknowledged within kAck answers kBusy and stays under way; asked again with the same
//            bytes, the appender waits for that one instead of writing it twice.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "journal/log.h"
#include "kafka/client.h"

namespace tw::kafka {

class Producer {
 public:
  static std::shared_ptr<Producer> Make(const Properties& properties, ClientEvents events, std::string* error);
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  // The client; a new one when the old one can no longer keep its promise (a fatal error of idempotence).
  std::shared_ptr<Client> client();

 private:
  Producer(Properties properties, ClientEvents events) : properties_(std::move(properties)), events_(std::move(events)) {}
  std::shared_ptr<Client> MakeClient(std::string* error);
  void Poll();

  const Properties properties_;
  const ClientEvents events_;
  std::mutex mutex_;
  std::shared_ptr<Client> client_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

std::unique_ptr<journal::Appender> MakeAppender(std::shared_ptr<Producer> producer, std::string topic, std::uint32_t partition,
                                                std::uint64_t message_bytes_max);

}  // namespace tw::kafka
