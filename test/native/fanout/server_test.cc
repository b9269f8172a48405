// The whole gateway over real sockets on a log in memory: HTTP, upgrade, live data, stalled clients, limits, stop.
#include "fanout/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fanout/memory_log.h"
#include "fanout/support.h"

namespace tw::fanout::test {
namespace {

constexpr const char* kTopic = "market.crypto.trades.binance";

class Socket {
 public:
  explicit Socket(std::uint16_t port, int receive_buffer = 0) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Socket() { ::close(fd_); }
  bool connected() const { return connected_; }
  void Send(const std::string& bytes) { ASSERT_EQ(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size())); }
  void SendText(const std::string& text) {
    std::string frame = "\x81";
    if (text.size() < 126) {
      frame += static_cast<char>(0x80 | text.size());
    } else {
      frame += static_cast<char>(0x80 | 126);
      frame += static_cast<char>(text.size() >> 8);
      frame += static_cast<char>(text.size() & 255);
    }
    frame += std::string("\1\2\3\4");
    for (std::size_t i = 0; i < text.size(); ++i) frame += static_cast<char>(text[i] ^ "\1\2\3\4"[i & 3]);
    Send(frame);
  }
  // One piece of what came; empty: the peer closed, or nothing came within the time.
  std::string Receive(int timeout_ms = 10000) {
    pollfd ready{fd_, POLLIN, 0};
    if (poll(&ready, 1, timeout_ms) <= 0) return {};
    std::string bytes(1 << 16, 0);
    const ssize_t got = recv(fd_, bytes.data(), bytes.size(), 0);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }
  std::string ReceiveAll() {
    std::string all;
    for (std::string piece = Receive(); !piece.empty(); piece = Receive()) all += piece;
    return all;
  }
  // Reads the answer to an upgrade; what came behind it goes to the reader.
  std::string Upgrade(Reader* reader, const std::string& more = "") {
    Send("GET /stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         more + "\r\n");
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      const std::string piece = Receive();
      if (piece.empty()) break;
      head += piece;
    }
    const std::size_t end = head.find("\r\n\r\n") + 4;
    if (reader != nullptr) reader->Feed(std::string_view(head).substr(end));
    return head.substr(0, end);
  }
  template <class Condition>
  bool Until(Reader* reader, Condition condition) {
    while (!condition()) {
      const std::string piece = Receive();
      if (piece.empty()) return condition();
      reader->Feed(piece);
    }
    return true;
  }

 private:
  int fd_;
  bool connected_ = false;
};

struct Gateway {
  explicit Gateway(ServerOptions options = {}) : log(std::make_shared<MemoryLog>()), instruments(std::make_shared<InstrumentTable>()) {
    for (std::uint32_t i = 1; i <= 4; ++i) instruments->Add({.id = (1u << 24) | i, .price_exponent = -2, .size_exponent = 0, .symbol = "S" + std::to_string(i)});
    options.files["/index.html"] = {"text/html; charset=utf-8", "<p>hello"};
    server = std::make_unique<Server>(log, instruments, std::move(options));
    server->AddTopic(kTopic);
    std::string error;
    EXPECT_TRUE(server->Start(&error)) << error;
  }
  void Publish(const std::vector<Trade>& trades) { log->Append(kTopic, batches.Of(trades), static_cast<std::uint32_t>(trades.size())); }
  template <class Condition>
  bool Until(Condition condition) {
    for (int i = 0; i < 10000; ++i) {
      if (condition(server->stats())) return true;
      usleep(1000);
    }
    return false;
  }
  std::shared_ptr<MemoryLog> log;
  std::shared_ptr<InstrumentTable> instruments;
  std::unique_ptr<Server> server;
  Batches batches;
};
constexpr std::uint32_t kId = (1u << 24) | 1;
const std::string kSubscribe = R"({"op":"subscribe","topic":"market.crypto.trades.binance","symbols":["*"])";

TEST(Server, FilesAndRefusals) {
  ServerOptions options;
  options.hosts = {"localhost"};
  Gateway gateway(options);
  const auto ask = [&](const std::string& head) {
    Socket socket(gateway.server->port());
    socket.Send(head);
    return socket.ReceiveAll();
  };
  const std::string page = ask("GET / HTTP/1.1\r\nHost: localhost:1\r\n\r\n");
  EXPECT_EQ(page.substr(0, 15), "HTTP/1.1 200 OK");
  for (const char* part : {"Content-Type: text/html", "nosniff", "Content-Security-Policy: default-src 'none'", "<p>hello"}) EXPECT_NE(page.find(part), std::string::npos);
  EXPECT_EQ(ask("HEAD /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n").find("<p>hello"), std::string::npos);
  EXPECT_EQ(ask("GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n").substr(9, 3), "404");
  EXPECT_EQ(ask("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n").substr(9, 3), "405");
  EXPECT_EQ(ask("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n").substr(9, 3), "426");
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").substr(9, 3), "403");
  EXPECT_EQ(ask("garbage\r\n\r\n").substr(9, 3), "400");
  EXPECT_EQ(ask("GET /" + std::string(5000, 'x')).substr(9, 3), "414");
  Socket other(gateway.server->port());
  EXPECT_EQ(other.Upgrade(nullptr, "Origin: http://evil.example\r\n").substr(9, 3), "403");
  Socket own(gateway.server->port());
  EXPECT_EQ(own.Upgrade(nullptr, "Origin: http://localhost\r\n").substr(9, 3), "101");
}

TEST(Server, SnapshotThenLive) {
  Gateway gateway;
  gateway.Publish({MakeTrade(kId, 1), MakeTrade(kId, 2)});
  Socket socket(gateway.server->port());
  Reader reader;
  const std::string head = socket.Upgrade(&reader);
  EXPECT_NE(head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos);
  socket.SendText(kSubscribe + "}");
  ASSERT_TRUE(socket.Until(&reader, [&] { return reader.TextWith("\"op\":\"live\"") != nullptr; }));
  const std::uint64_t before = reader.snapshots + reader.delivered;
  EXPECT_GE(before, 1u);
  for (std::uint32_t seq = 3; seq <= 500; ++seq) gateway.Publish({MakeTrade(kId, seq)});
  ASSERT_TRUE(socket.Until(&reader, [&] { return (reader.streams.begin()->second.last & 0xffffffffu) == 500; }));
  EXPECT_EQ(reader.streams.begin()->second.holes, 0u);
  EXPECT_EQ(reader.repeats, 0u);
  const ServerStats stats = gateway.server->stats();
  EXPECT_EQ(stats.accounts.offered, stats.accounts.delivered);
  EXPECT_GT(stats.append_to_send_ns_p99, 0u);
}

TEST(Server, AStalledClientDoesNotHoldAnother) {
  ServerOptions options;
  options.hub.client.client_bytes_max = 64 << 10;
  options.send_buffer_bytes = 8 << 10;
  Gateway gateway(options);
  Socket stalled(gateway.server->port(), 4096);
  Socket conflated(gateway.server->port(), 4096);
  Socket quick(gateway.server->port());
  Reader stalled_reader;
  Reader conflated_reader;
  Reader quick_reader;
  stalled.Upgrade(&stalled_reader);
  conflated.Upgrade(&conflated_reader);
  quick.Upgrade(&quick_reader);
  stalled.SendText(kSubscribe + "}");
  conflated.SendText(kSubscribe + R"(,"mode":"conflate"})");
  quick.SendText(kSubscribe + "}");
  ASSERT_TRUE(gateway.Until([](const ServerStats& s) { return s.subscriptions == 3; }));
  constexpr std::uint32_t kCount = 20000;
  for (std::uint32_t seq = 1; seq <= kCount; seq += 10) {
    std::vector<Trade> trades;
    for (std::uint32_t i = 0; i < 10; ++i) trades.push_back(MakeTrade(kId, seq + i, seq + i));
    gateway.Publish(trades);
    // The quick client reads as it goes: it must not become slow itself.
    ASSERT_TRUE(quick.Until(&quick_reader, [&] { return quick_reader.delivered >= seq + 9; }));
  }
  EXPECT_EQ(quick_reader.delivered, kCount);
  EXPECT_EQ(quick_reader.streams.begin()->second.holes, 0u);
  const ServerStats stats = gateway.server->stats();
  EXPECT_GT(stats.accounts.dropped, 0u);
  EXPECT_LE(stats.bytes_waiting_max, (64u << 10) + (64u << 10));

  stalled.SendText(R"({"op":"stats","id":"s"})");
  conflated.SendText(R"({"op":"stats","id":"c"})");
  ASSERT_TRUE(stalled.Until(&stalled_reader, [&] { return stalled_reader.TextWith("\"id\":\"s\"") != nullptr; }));
  ASSERT_TRUE(conflated.Until(&conflated_reader, [&] { return conflated_reader.TextWith("\"id\":\"c\"") != nullptr; }));
  const std::string& told = *stalled_reader.TextWith("\"id\":\"s\"");
  EXPECT_EQ(NumberAfter(told, "offered"), kCount);
  EXPECT_EQ(NumberAfter(told, "delivered"), stalled_reader.delivered);
  EXPECT_EQ(NumberAfter(told, "dropped"), stalled_reader.noticed);
  EXPECT_EQ(stalled_reader.delivered + stalled_reader.noticed, kCount);
  const std::string& conflation = *conflated_reader.TextWith("\"id\":\"c\"");
  EXPECT_EQ(NumberAfter(conflation, "delivered") + NumberAfter(conflation, "conflated"), kCount);
  EXPECT_EQ(NumberAfter(conflation, "delivered"), conflated_reader.delivered);
  EXPECT_EQ(conflated_reader.streams.begin()->second.price, kCount);
}

TEST(Server, SlowIdleAndBrokenClientsAreClosedWithTheirCode) {
  ServerOptions options;
  options.hub.client.client_bytes_max = 16 << 10;
  options.send_buffer_bytes = 8 << 10;
  options.ping_interval_ms = 300;
  options.idle_timeout_ms = 900;
  Gateway gateway(options);
  Socket idle(gateway.server->port());
  Reader idle_reader;
  idle.Upgrade(&idle_reader);
  ASSERT_TRUE(idle.Until(&idle_reader, [&] { return idle_reader.close_code != 0; }));
  EXPECT_EQ(idle_reader.close_code, 1001);

  Socket broken(gateway.server->port());
  Reader broken_reader;
  broken.Upgrade(&broken_reader);
  broken.Send(std::string("\x81\x02hi", 4));
  ASSERT_TRUE(broken.Until(&broken_reader, [&] { return broken_reader.close_code != 0; }));
  EXPECT_EQ(broken_reader.close_code, 1002);

  Socket slow(gateway.server->port(), 4096);
  Reader slow_reader;
  slow.Upgrade(&slow_reader);
  slow.SendText(kSubscribe + R"(,"overflow":"disconnect"})");
  ASSERT_TRUE(gateway.Until([](const ServerStats& s) { return s.subscriptions == 1; }));
  for (std::uint32_t seq = 1; seq <= 2000; ++seq) gateway.Publish({MakeTrade(kId, seq)});
  ASSERT_TRUE(gateway.Until([](const ServerStats& s) { return s.accounts.dropped > 0; }));
  ASSERT_TRUE(slow.Until(&slow_reader, [&] { return slow_reader.close_code != 0; }));
  EXPECT_EQ(slow_reader.close_code, 1013);
  ASSERT_TRUE(gateway.Until([](const ServerStats& s) { return s.slow_disconnects == 1; }));
}

TEST(Server, ConnectionsOverTheLimitGet503AndASilentHeadIsEnded) {
  ServerOptions options;
  options.clients_max = 2;
  options.http_timeout_ms = 300;
  Gateway gateway(options);
  Socket a(gateway.server->port());
  Socket b(gateway.server->port());
  ASSERT_TRUE(gateway.Until([](const ServerStats& s) { return s.connections_total == 2; }));
  Socket c(gateway.server->port());
  EXPECT_EQ(c.ReceiveAll().substr(9, 3), "503");
  EXPECT_EQ(a.ReceiveAll(), "");  // Ended by the server: it never sent a request.
}

TEST(Server, AHoleInTheLogIsTold) {
  Gateway gateway;
  Socket socket(gateway.server->port());
  Reader reader;
  socket.Upgrade(&reader);
  socket.SendText(kSubscribe + "}");
  ASSERT_TRUE(socket.Until(&reader, [&] { return reader.TextWith("\"op\":\"live\"") != nullptr; }));
  gateway.Publish({MakeTrade(kId, 1)});
  gateway.log->Append(kTopic, gateway.batches.Of<Trade>({MakeTrade(kId, 2)}), 5, true);
  gateway.Publish({MakeTrade(kId, 7)});
  ASSERT_TRUE(socket.Until(&reader, [&] { return reader.delivered == 2; }));
  const std::string* hole = reader.TextWith("\"op\":\"hole\"");
  ASSERT_NE(hole, nullptr);
  EXPECT_NE(hole->find("\"from\":\"1\",\"to\":\"6\""), std::string::npos) << *hole;
}

TEST(Server, WaitsForAnInstrumentAndGoesOn) {
  ServerOptions options;
  std::atomic<std::uint32_t> asked{0};
  options.instrument_wait_ms = 60000;
  options.on_unknown_instrument = [&](std::uint32_t id) { asked = id; };
  Gateway gateway(options);
  Socket socket(gateway.server->port());
  Reader reader;
  socket.Upgrade(&reader);
  socket.SendText(kSubscribe + "}");
  ASSERT_TRUE(socket.Until(&reader, [&] { return reader.TextWith("\"op\":\"live\"") != nullptr; }));
  gateway.Publish({MakeTrade(kId + 50, 1)});
  while (asked == 0) usleep(1000);
  gateway.instruments->Add({.id = kId + 50, .price_exponent = -1, .size_exponent = 0, .symbol = "NEW"});
  gateway.server->InstrumentsChanged();
  ASSERT_TRUE(socket.Until(&reader, [&] { return reader.delivered == 1; }));
  EXPECT_NE(reader.TextWith("\"symbol\":\"NEW\""), nullptr);
  EXPECT_EQ(reader.TextWith("\"symbol\":null"), nullptr);
}

TEST(Server, StopsUnderLoadAgainAndAgain) {
  for (int round = 0; round < 20; ++round) {
    Gateway gateway;
    std::vector<std::unique_ptr<Socket>> sockets;
    for (int i = 0; i < 4; ++i) {
      sockets.push_back(std::make_unique<Socket>(gateway.server->port()));
      sockets.back()->Upgrade(nullptr);
      sockets.back()->SendText(kSubscribe + "}");
    }
    std::atomic<bool> stop{false};
    std::thread publisher([&] {
      for (std::uint32_t seq = 1; !stop; ++seq) gateway.Publish({MakeTrade(kId, seq)});
    });
    gateway.Until([](const ServerStats& s) { return s.accounts.delivered > 100; });
    gateway.server->Stop();
    stop = true;
    publisher.join();
    const Accounts a = gateway.server->stats().accounts;
    ASSERT_EQ(a.offered, a.delivered + a.conflated + a.dropped);
  }
}

}  // namespace
}  // namespace tw::fanout::test
