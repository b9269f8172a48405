// Topics, clients and what they asked for: the gateway without sockets, threads and clocks.
// Reads batches of the log and control messages. Writes the clients' outboxes and lists the clients to send to.
// Threads: none of its own; every call under the gateway's lock.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fanout/command.h"
#include "fanout/outbox.h"
#include "fanout/subscription.h"
#include "fanout/topic.h"

namespace tw::fanout {

class Client {
 public:
  Outbox outbox;
  std::uint64_t tag = 0;         // The owner's.
  std::uint16_t close_code = 0;  // Not 0: the connection is to be closed with it.
  std::string close_reason;
  std::size_t subscriptions() const { return subscriptions_.size(); }

 private:
  friend class Hub;
  std::map<std::uint16_t, std::unique_ptr<Subscription>> subscriptions_;
  std::uint16_t next_number_ = 1;
  bool dirty_ = false;
  std::vector<Command> stats_waiting_;
};

struct HubOptions {
  ClientLimits client;
  std::size_t bar_history = 500;
  std::size_t frame_bytes_max = 64 << 10;
};

class Hub {
 public:
  Hub(const HubOptions& options, const InstrumentTable& instruments);
  ~Hub();

  // Null: the name is no topic's, or there are too many.
  Topic* AddTopic(std::string_view name);
  Topic* FindTopic(std::string_view name) const;
  const std::vector<std::unique_ptr<Topic>>& topics() const { return topics_; }

  Client* Connect();
  void Disconnect(Client* client);
  // Marks it for closing and forgets what was not begun.
  void Close(Client* client, std::uint16_t code, std::string_view reason);
  void OnText(Client* client, std::string_view text, std::uint64_t now_ns);
  void OnDrained(Client* client, std::uint64_t now_ns);
  void PushControl(Client* client, std::string_view text);   // One text frame.
  void PushFrames(Client* client, std::string_view frames);  // Ready frames (pong, close) or an HTTP answer.

  void Take(Topic* topic, std::uint16_t partition, std::uint64_t offset, std::span<const std::uint8_t> bytes, const wire::BatchView& batch);
  // Parses first; what is no batch is counted.
  void Take(Topic* topic, std::uint16_t partition, std::uint64_t offset, std::span<const std::uint8_t> bytes);
  void EndBurst();
  // Offsets [from, to) of a partition cannot be read: told to everybody on the topic.
  void OnHole(Topic* topic, std::uint32_t partition, std::uint64_t from, std::uint64_t to);
  void SetLive(Topic* topic, std::uint64_t now_ns);

  // Interval subscriptions: when the next is due (~0: none), and those due now.
  std::uint64_t next_due_ns() const { return schedule_.empty() ? ~0ull : schedule_.begin()->first; }
  void Tick(std::uint64_t now_ns);

  // Clients with something new to send or to close since the last call.
  void TakeDirty(std::vector<Client*>* out);
  ChunkPool* pool() { return &pool_; }
  const Accounts& accounts() const { return accounts_; }
  std::uint64_t refused_commands() const { return refused_commands_; }
  std::size_t subscriptions() const { return subscription_count_; }

 private:
  void MarkDirty(Client* client);
  void Emit(Group* group, const ChunkRef& chunk);
  void Subscribe(Client* client, const Command& command, std::uint64_t now_ns);
  void Unsubscribe(Client* client, Subscription* subscription);
  void Settle(Subscription* subscription);  // What is still held will never be sent: dropped.
  void AnswerStats(Client* client, const Command& command);
  bool FlushAll(Client* client, std::uint64_t now_ns, bool intervals_too);
  void Refuse(Client* client, const Command& command, const CommandError& error);
  void Schedule(Subscription* subscription, std::uint64_t due_ns);
  void Unschedule(Subscription* subscription);
  std::vector<std::string> TopicNames() const;

  const HubOptions options_;
  const InstrumentTable& instruments_;
  const std::size_t chunk_bytes_max_;
  Accounts accounts_;
  ChunkPool pool_;
  Encoder encoder_;
  Delivery delivery_;
  std::vector<std::unique_ptr<Topic>> topics_;
  std::map<Client*, std::unique_ptr<Client>> clients_;
  std::vector<Client*> dirty_;
  std::multimap<std::uint64_t, Subscription*> schedule_;
  struct Waiting {
    Client* client;
    Command command;
  };
  std::vector<Waiting> waiting_;  // Subscribers of topics whose tail was not reached yet.
  std::uint64_t refused_commands_ = 0;
  std::size_t subscription_count_ = 0;
};

}  // namespace tw::fanout
