#include "fanout/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "fanout/tail.h"

namespace tw::fanout {
namespace {

constexpr std::uint64_t kListenTag = ~0ull;
constexpr std::uint64_t kEventTag = ~0ull - 1;
constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::size_t kPiecesMax = 64;
constexpr int kUnsentLowWater = 64 << 10;  // Bytes the kernel may hold unsent per client: what it holds can no longer be conflated.

std::string ResponseOf(const StaticFile& file) {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + file.type +
         "\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCache-Control: no-cache\r\n"
         "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
         "base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\nConnection: close\r\nContent-Length: " +
         std::to_string(file.body.size()) + "\r\n\r\n" + file.body;
}

}  // namespace

std::uint64_t Server::NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000ull + static_cast<std::uint64_t>(now.tv_nsec);
}

Server::Server(std::vector<std::shared_ptr<journal::Log>> logs, std::shared_ptr<InstrumentTable> instruments, ServerOptions options)
    : instruments_(std::move(instruments)), options_(std::move(options)), hub_(options_.hub, *instruments_) {
  for (auto& log : logs) {
    followers_.push_back(std::make_unique<Follower>());
    followers_.back()->log = std::move(log);
  }
  for (const auto& [path, file] : options_.files) responses_[path] = ResponseOf(file);
}

Server::~Server() { Stop(); }

bool Server::Listen(std::string* error) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(options_.host.c_str(), std::to_string(options_.port).c_str(), &hints, &found);
  if (code != 0) {
    *error = "cannot listen on " + options_.host + ": " + gai_strerror(code);
    return false;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, freeaddrinfo);
  listen_fd_ = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (listen_fd_ >= 0) setsockopt(listen_fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (listen_fd_ < 0 || bind(listen_fd_, found->ai_addr, found->ai_addrlen) != 0 || listen(listen_fd_, 4096) != 0) {
    *error = "cannot listen on " + options_.host + ":" + std::to_string(options_.port) + ": " + std::strerror(errno);
    return false;
  }
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(listen_fd_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
  return true;
}

bool Server::Start(std::string* error) {
  if (epoll_fd_ >= 0 || stopping_) {
    *error = "the gateway was started before";
    return false;
  }
  if (!Listen(error)) {
    if (listen_fd_ >= 0) ::close(listen_fd_);
    listen_fd_ = -1;
    return false;
  }
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  event_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  spare_fd_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kListenTag;
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, listen_fd_, &event);
  event.data.u64 = kEventTag;
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, event_fd_, &event);
  for (const auto& follower : followers_) follower->waiter = follower->log->OpenWaiter();
  for (const auto& follower : followers_) follower->thread = std::thread([this, each = follower.get()] { Follow(each); });
  poller_ = std::thread([this] { Poll(); });
  return true;
}

void Server::Stop() {
  if (stopping_.exchange(true)) return;
  for (const auto& follower : followers_) {
    if (follower->waiter != nullptr) follower->waiter->Interrupt();
  }
  if (event_fd_ >= 0) eventfd_write(event_fd_, 1);
  for (const auto& follower : followers_) {
    if (follower->thread.joinable()) follower->thread.join();
  }
  if (poller_.joinable()) poller_.join();
  const std::lock_guard lock(mutex_);
  for (auto& connection : connections_) {
    if (connection == nullptr) continue;
    if (connection->open && !connection->shut) {  // A last word, if the kernel takes it: 1001, going away.
      std::string frame;
      AppendCloseFrame(1001, "the gateway stops", &frame);
      const bool between_frames = connection->client->outbox.empty();
      if (between_frames) (void)!send(connection->fd, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    hub_.Disconnect(connection->client);
    connection.reset();
  }
  open_ = 0;
  for (int* fd : {&listen_fd_, &epoll_fd_, &event_fd_, &spare_fd_}) {
    if (*fd >= 0) ::close(*fd);
    *fd = -1;
  }
  for (const auto& follower : followers_) follower->tails.clear();
}

bool Server::AddTopic(const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    if (hub_.AddTopic(name) == nullptr) return false;
  }
  for (const auto& follower : followers_) {
    follower->topics_changed = true;
    if (follower->waiter != nullptr) follower->waiter->Interrupt();
  }
  return true;
}

void Server::InstrumentsChanged() {
  ++instruments_version_;
  for (const auto& follower : followers_) {
    if (follower->waiter != nullptr) follower->waiter->Interrupt();
  }
}

ServerStats Server::stats() {
  const std::lock_guard lock(mutex_);
  ServerStats stats = counters_;
  stats.accounts = hub_.accounts();
  stats.clients = open_;
  stats.subscriptions = hub_.subscriptions();
  stats.commands_refused = hub_.refused_commands();
  for (const auto& connection : connections_) {
    if (connection != nullptr) stats.bytes_waiting += connection->client->outbox.total_bytes();
  }
  stats.append_to_send_ns_p50 = append_to_send_.Quantile(0.5);
  stats.append_to_send_ns_p99 = append_to_send_.Quantile(0.99);
  stats.receive_to_send_ns_p50 = receive_to_send_.Quantile(0.5);
  stats.receive_to_send_ns_p99 = receive_to_send_.Quantile(0.99);
  for (const auto& topic : hub_.topics()) stats.topics[topic->name()] = topic->counters;
  return stats;
}

Connection* Server::Find(std::uint64_t tag) {
  const auto slot = static_cast<std::uint32_t>(tag);
  if (slot >= connections_.size() || connections_[slot] == nullptr || connections_[slot]->tag != tag) return nullptr;
  return connections_[slot].get();
}

void Server::Poll() {
  std::vector<epoll_event> events(512);
  std::uint64_t next_sweep = NowNs() + 250'000'000;
  while (!stopping_) {
    std::uint64_t wake = next_sweep;
    {
      const std::lock_guard lock(mutex_);
      wake = std::min(wake, hub_.next_due_ns());
    }
    const std::uint64_t before = NowNs();
    const int timeout = wake <= before ? 0 : static_cast<int>((wake - before) / 1'000'000 + 1);
    const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), timeout);
    const std::uint64_t now = NowNs();
    ++waiting_for_lock_;
    const std::lock_guard lock(mutex_);
    --waiting_for_lock_;
    for (int i = 0; i < count; ++i) {
      const std::uint64_t tag = events[static_cast<std::size_t>(i)].data.u64;
      if (tag == kListenTag) {
        Accept(now);
      } else if (tag == kEventTag) {
        eventfd_t value;
        eventfd_read(event_fd_, &value);
      } else {
        OnEvent(tag, events[static_cast<std::size_t>(i)].events, now);
      }
    }
    hub_.Tick(now);
    SendDirty(now);
    if (now >= next_sweep) {
      Sweep(now);
      SendDirty(now);
      next_sweep = now + 250'000'000;
    }
  }
}

void Server::Accept(std::uint64_t now_ns) {
  for (int i = 0; i < 256; ++i) {
    const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if ((errno == EMFILE || errno == ENFILE) && spare_fd_ >= 0) {
        // Out of descriptors: the spare one makes room to take the connection and close it, or the listener would spin.
        ::close(spare_fd_);
        const int refused = accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (refused >= 0) ::close(refused);
        spare_fd_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
        ++counters_.connections_refused;
        continue;
      }
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return;
    }
    ++counters_.connections_total;
    const std::size_t open_connections = connections_.size() - free_slots_.size();
    if (open_connections >= options_.clients_max) {
      ++counters_.connections_refused;
      constexpr std::string_view kBusy = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n";
      (void)!send(fd, kBusy.data(), kBusy.size(), MSG_NOSIGNAL);
      shutdown(fd, SHUT_WR);
      ::close(fd);
      continue;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentLowWater, sizeof kUnsentLowWater);
    const int buffer = static_cast<int>(options_.send_buffer_bytes);
    if (buffer > 0) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    std::uint32_t slot;
    if (free_slots_.empty()) {
      slot = static_cast<std::uint32_t>(connections_.size());
      connections_.emplace_back();
    } else {
      slot = free_slots_.back();
      free_slots_.pop_back();
    }
    generation_ = (generation_ + 1) & 0x7fffffffu;
    const std::uint64_t tag = static_cast<std::uint64_t>(generation_) << 32 | slot;
    Client* client = hub_.Connect();
    client->tag = tag;
    connections_[slot] = std::make_unique<Connection>(this, fd, tag, client, now_ns);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.u64 = tag;
    epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event);
  }
}

void Server::OnEvent(std::uint64_t tag, std::uint32_t events, std::uint64_t now_ns) {
  Connection* connection = Find(tag);
  if (connection == nullptr) return;  // Closed by the other thread since the event was fetched.
  if ((events & EPOLLIN) != 0) {
    static thread_local std::uint8_t buffer[kReadBytes];
    const ssize_t got = recv(connection->fd, buffer, sizeof buffer, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return Drop(connection);
    if (got > 0) connection->OnBytes(buffer, static_cast<std::size_t>(got), now_ns);
  } else if ((events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) {
    return Drop(connection);
  }
  if (connection->client->close_code != 0) connection->StartClose(connection->client->close_code, connection->client->close_reason, now_ns);
  Send(connection, now_ns);
}

void Server::SendDirty(std::uint64_t now_ns) {
  // Sending may make room, which may make values to send: until nobody has news.
  for (hub_.TakeDirty(&dirty_); !dirty_.empty(); hub_.TakeDirty(&dirty_)) {
    for (Client* client : dirty_) {
      Connection* connection = Find(client->tag);
      if (connection == nullptr) continue;
      if (client->close_code != 0) connection->StartClose(client->close_code, client->close_reason, now_ns);
      Send(connection, now_ns);
    }
  }
}

void Server::Send(Connection* connection, std::uint64_t now_ns) {
  Outbox& outbox = connection->client->outbox;
  counters_.bytes_waiting_max = std::max<std::uint64_t>(counters_.bytes_waiting_max, outbox.bytes(Lane::kLive));
  bool drained = false;
  while (!outbox.empty()) {
    iovec pieces[kPiecesMax];
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = outbox.Pieces(pieces, kPiecesMax);
    const ssize_t sent = sendmsg(connection->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    ++counters_.sends;
    if (sent < 0) {
      if (errno == EAGAIN) return Watch(connection, true);
      if (errno == EINTR) continue;
      return Drop(connection);
    }
    counters_.bytes_sent += static_cast<std::uint64_t>(sent);
    counters_.frames_sent += outbox.Consume(static_cast<std::size_t>(sent));
    if (!drained && outbox.bytes(Lane::kLive) <= options_.hub.client.client_bytes_max / 4) {
      drained = true;
      hub_.OnDrained(connection->client, now_ns);
    }
  }
  Watch(connection, false);
  if (!connection->shut) return;
  if (connection->received_close) return Drop(connection);
  if (!connection->half_closed) {
    connection->half_closed = true;
    shutdown(connection->fd, SHUT_WR);
  }
}

void Server::Watch(Connection* connection, bool want_write) {
  if (connection->want_write == want_write) return;
  connection->want_write = want_write;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | (want_write ? EPOLLOUT : 0u);
  event.data.u64 = connection->tag;
  epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, connection->fd, &event);
}

void Server::Drop(Connection* connection) {
  const auto slot = static_cast<std::uint32_t>(connection->tag);
  if (connection->open) --open_;
  if (connection->client->close_code == 1013) ++counters_.slow_disconnects;
  hub_.Disconnect(connection->client);
  connections_[slot].reset();
  free_slots_.push_back(slot);
}

void Server::Sweep(std::uint64_t now_ns) {
  const std::uint64_t ping_ns = options_.ping_interval_ms * 1'000'000ull;
  const std::uint64_t idle_ns = options_.idle_timeout_ms * 1'000'000ull;
  for (std::size_t slot = 0; slot < connections_.size(); ++slot) {
    Connection* connection = connections_[slot].get();
    if (connection == nullptr) continue;
    if (connection->deadline_ns != 0 && now_ns >= connection->deadline_ns) {
      Drop(connection);
    } else if (connection->open && !connection->shut && now_ns > connection->heard_ns + idle_ns) {
      ++counters_.idle_disconnects;
      hub_.Close(connection->client, 1001, "nothing heard: idle timeout");
    } else if (connection->open && !connection->shut && !connection->pinged && now_ns > connection->heard_ns + ping_ns) {
      connection->pinged = true;
      std::string frame;
      AppendFrame(Opcode::kPing, "tw", &frame);
      hub_.PushFrames(connection->client, frame);
    }
  }
}

}  // namespace tw::fanout
