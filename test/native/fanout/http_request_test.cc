// The request head: what is taken, what is refused and with which status; split at every byte is whole.
#include "fanout/http_request.h"

#include <gtest/gtest.h>

#include <string>

namespace tw::fanout {
namespace {

const std::string kUpgrade =
    "GET /stream?x=1 HTTP/1.1\r\nHost: localhost:9000\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: http://localhost:9000\r\n\r\n";

int StatusOf(const std::string& text, HttpLimits limits = {}) {
  HttpReader reader(limits);
  std::size_t used = 0;
  const auto state = reader.Feed(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), &used);
  if (state == HttpReader::State::kMore) return 0;
  return state == HttpReader::State::kDone ? 200 : reader.status();
}

TEST(HttpRequest, UpgradeSplitAtEveryByte) {
  const std::string text = kUpgrade + "frame bytes";
  for (std::size_t cut = 0; cut <= kUpgrade.size(); ++cut) {
    HttpReader reader;
    std::size_t first = 0;
    std::size_t second = 0;
    const auto* data = reinterpret_cast<const std::uint8_t*>(text.data());
    (void)reader.Feed(data, cut, &first);
    if (cut < kUpgrade.size()) {
      ASSERT_EQ(reader.Feed(data + cut, text.size() - cut, &second), HttpReader::State::kDone);
    }
    ASSERT_EQ(first + second, kUpgrade.size());
    const HttpRequest& r = reader.request();
    ASSERT_EQ(r.path, "/stream");
    ASSERT_EQ(r.host, "localhost:9000");
    ASSERT_EQ(r.origin, "http://localhost:9000");
    ASSERT_EQ(r.key, "dGhlIHNhbXBsZSBub25jZQ==");
    ASSERT_EQ(r.version, "13");
    ASSERT_TRUE(r.wants_upgrade && r.connection_upgrade);
  }
}

TEST(HttpRequest, Refusals) {
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
  EXPECT_EQ(StatusOf("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
  EXPECT_EQ(StatusOf("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.0\r\nHost: x\r\n\r\n"), 505);
  EXPECT_EQ(StatusOf("GET / HTTP/2\r\nHost: x\r\n\r\n"), 505);
  EXPECT_EQ(StatusOf("GET /\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET  HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("G(T / HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\nHost: x\n\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nHost : x\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nHost: x\r\nA: b\x01\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"), 413);
  EXPECT_EQ(StatusOf("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"), 413);
  EXPECT_EQ(StatusOf("GET /" + std::string(3000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n"), 414);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(5000, 'a') + "\r\n\r\n"), 431);
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 100; ++i) many += "A: b\r\n";
  EXPECT_EQ(StatusOf(many + "\r\n"), 431);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\n" + std::string(3, 'H') + ": " + std::string(100, 'x'), {.total_bytes_max = 64}), 431);
}

}  // namespace
}  // namespace tw::fanout
