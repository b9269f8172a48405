// The stream gateway: sockets, HTTP, WebSocket and the tail of the log, independent of the event loop.
// Reads the log's tail and clients' messages. Writes WebSocket frames.
// Threads:   the follower waits for appends, encodes and sends; the poller accepts, reads, and sends what the kernel refused
//            before. Both work under one lock, so that a tick is sent by the thread that read it, without another wake-up.
//            Start, Stop, AddTopic and stats are for the owner's thread.
// When a client is slow: its outbox fills to its limit, then its subscriptions' policy decides; nobody waits for it.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fanout/connection.h"
#include "fanout/histogram.h"
#include "fanout/http_request.h"
#include "fanout/hub.h"
#include "journal/log.h"

namespace tw::fanout {

struct StaticFile {
  std::string type;
  std::string body;
};

struct ServerOptions {
  std::string host = "127.0.0.1";  // An address; "::" and "0.0.0.0" listen on all.
  std::uint16_t port = 0;
  std::string path = "/stream";
  std::vector<std::string> origins;  // Allowed besides the page's own; "*": any.
  std::vector<std::string> hosts;    // Allowed Host headers (without port); empty: any.
  std::map<std::string, StaticFile> files;
  HubOptions hub;
  HttpLimits http;
  std::size_t clients_max = 10000;
  std::size_t message_bytes_max = 64 << 10;
  std::uint32_t http_timeout_ms = 5000;
  std::uint32_t ping_interval_ms = 15000;
  std::uint32_t idle_timeout_ms = 45000;
  std::uint32_t close_timeout_ms = 2000;
  std::uint32_t send_buffer_bytes = 0;    // SO_SNDBUF; 0: the kernel's own choice.
  std::uint64_t warm_records = 65536;     // Per partition, read at the start for last values.
  std::uint64_t warm_bars = 1 << 20;      // The same for ohlcv topics.
  std::uint32_t instrument_wait_ms = 1000;  // How long a partition waits for an instrument to be listed.
  std::function<void(std::uint32_t)> on_unknown_instrument;  // From the follower thread.
};

struct ServerStats {
  Accounts accounts;
  std::uint64_t clients = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t connections_total = 0;
  std::uint64_t connections_refused = 0;
  std::uint64_t http_requests = 0;
  std::uint64_t http_errors = 0;
  std::uint64_t frame_errors = 0;
  std::uint64_t commands_refused = 0;
  std::uint64_t slow_disconnects = 0;
  std::uint64_t idle_disconnects = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t sends = 0;
  std::uint64_t bytes_waiting = 0;
  std::uint64_t bytes_waiting_max = 0;  // Of one client, ever.
  std::uint64_t append_to_send_ns_p50 = 0;
  std::uint64_t append_to_send_ns_p99 = 0;
  std::uint64_t receive_to_send_ns_p50 = 0;
  std::uint64_t receive_to_send_ns_p99 = 0;
  std::map<std::string, TopicCounters> topics;
};

class Server {
 public:
  Server(std::shared_ptr<journal::Log> log, std::shared_ptr<InstrumentTable> instruments, ServerOptions options)
      : Server(std::vector{std::move(log)}, std::move(instruments), std::move(options)) {}
  // A topic may stand in several logs (this machine's and the cluster's): each record is taken once, by (epoch, seq), from
  // whichever has it first.
  Server(std::vector<std::shared_ptr<journal::Log>> logs, std::shared_ptr<InstrumentTable> instruments, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds, listens and starts both threads. False: *error says why.
  bool Start(std::string* error);
  void Stop();
  std::uint16_t port() const { return port_; }
  bool AddTopic(const std::string& name);
  // The table has new instruments: partitions that wait go on.
  void InstrumentsChanged();
  ServerStats stats();

 private:
  friend class Connection;
  struct Tail;
  struct Follower;

  // follower.cc
  void Follow(Follower* follower);
  bool OpenTails(Follower* follower, std::uint64_t now_ns);
  bool Pump(Follower* follower, std::uint64_t now_ns);
  bool ReadTail(Follower* follower, Tail* tail, std::uint64_t now_ns, std::size_t* budget);
  void NoteLatency(Follower* follower);
  void SetLiveWhenSettled(Topic* topic, std::uint64_t now_ns);

  // server.cc
  bool Listen(std::string* error);
  void Poll();
  void Accept(std::uint64_t now_ns);
  void OnEvent(std::uint64_t tag, std::uint32_t events, std::uint64_t now_ns);
  void SendDirty(std::uint64_t now_ns);
  void Send(Connection* connection, std::uint64_t now_ns);
  void Watch(Connection* connection, bool want_write);
  void Drop(Connection* connection);
  void Sweep(std::uint64_t now_ns);
  Connection* Find(std::uint64_t tag);
  static std::uint64_t NowNs();

  const std::shared_ptr<InstrumentTable> instruments_;
  const ServerOptions options_;
  std::map<std::string, std::string> responses_;  // Whole answers to GET, by path.

  std::mutex mutex_;  // Everything below, but the followers' own.
  std::atomic<int> waiting_for_lock_{0};
  Hub hub_;
  std::vector<std::unique_ptr<Connection>> connections_;  // By slot.
  std::vector<std::uint32_t> free_slots_;
  std::uint32_t generation_ = 0;
  std::vector<Client*> dirty_;
  ServerStats counters_;
  std::size_t open_ = 0;
  Histogram append_to_send_;
  Histogram receive_to_send_;

  std::vector<std::unique_ptr<Follower>> followers_;  // One per log, with a thread each.
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint32_t> instruments_version_{0};
  int listen_fd_ = -1;
  int epoll_fd_ = -1;
  int event_fd_ = -1;
  int spare_fd_ = -1;
  std::uint16_t port_ = 0;
  std::thread poller_;
};

}  // namespace tw::fanout
