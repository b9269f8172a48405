// One HTTP/1.1 request head: an upgrade to WebSocket or a plain GET. Pure: bytes in, a request or a status out.
// Bounds: line, header count, header length and total bytes; what passes one is refused with its status (414, 431, 400).
// Bodies, obsolete line folding, bare line feeds and repeated decisive headers are refused, never interpreted.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tw::fanout {

struct HttpLimits {
  std::size_t line_bytes_max = 2048;
  std::size_t header_bytes_max = 4096;
  std::size_t headers_max = 64;
  std::size_t total_bytes_max = 16384;
};

struct HttpRequest {
  std::string method;
  std::string path;  // Without the query.
  std::string host;
  std::string origin;  // Empty: no such header.
  std::string key;
  std::string version;
  bool has_origin = false;
  bool wants_upgrade = false;    // Upgrade: websocket.
  bool connection_upgrade = false;  // Connection: …, upgrade, …
};

class HttpReader {
 public:
  explicit HttpReader(const HttpLimits& limits = {}) : limits_(limits) {}
  enum class State : std::uint8_t { kMore, kDone, kRefused };
  // Takes bytes until the head ends; *used says how many belong to it.
  State Feed(const std::uint8_t* data, std::size_t size, std::size_t* used);
  const HttpRequest& request() const { return request_; }
  int status() const { return status_; }  // With kRefused: the answer's status.

 private:
  State Refuse(int status);
  State Parse();
  bool TakeRequestLine(std::string_view line);
  bool TakeHeader(std::string_view line);

  HttpLimits limits_;
  std::string head_;
  std::size_t line_start_ = 0;
  std::size_t lines_ = 0;
  State state_ = State::kMore;
  int status_ = 0;
  HttpRequest request_;
};

const char* HttpStatusText(int status);

}  // namespace tw::fanout
