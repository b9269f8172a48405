#include "fanout/connection.h"

#include <unistd.h>

#include <algorithm>

#include "fanout/accept_key.h"
#include "fanout/server.h"

namespace tw::fanout {
namespace {

std::string_view WithoutPort(std::string_view host) {
  if (!host.empty() && host.front() == '[') return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

}  // namespace

Connection::Connection(Server* server, int fd, std::uint64_t tag, Client* client, std::uint64_t now_ns)
    : fd(fd), tag(tag), client(client), heard_ns(now_ns), server_(server), http_(std::make_unique<HttpReader>(server->options_.http)) {
  deadline_ns = now_ns + server->options_.http_timeout_ms * 1'000'000ull;
}

Connection::~Connection() { ::close(fd); }

void Connection::OnBytes(const std::uint8_t* data, std::size_t size, std::uint64_t now_ns) {
  now_ns_ = now_ns;
  heard_ns = now_ns;
  pinged = false;
  if (shut && !open) return;  // An HTTP answer is under way; what follows is none of ours.
  std::size_t used = 0;
  if (http_ != nullptr) {
    const HttpReader::State state = http_->Feed(data, size, &used);
    if (state == HttpReader::State::kMore) return;
    if (state == HttpReader::State::kRefused) return Refuse(http_->status(), now_ns);
    Answer(now_ns);
    http_.reset();
  }
  if (frames_ == nullptr) return;
  const FrameError error = frames_->Feed(data + used, size - used, this);
  if (error == FrameError::kNone || client->close_code != 0) return;
  ++server_->counters_.frame_errors;
  server_->hub_.Close(client, CloseCodeOf(error), FrameErrorName(error));
}

void Connection::Answer(std::uint64_t now_ns) {
  const HttpRequest& request = http_->request();
  ++server_->counters_.http_requests;
  if (!HostAllowed(request)) return Refuse(403, now_ns);
  if (request.path != server_->options_.path) {
    const auto found = server_->responses_.find(request.path == "/" ? "/index.html" : request.path);
    if (found == server_->responses_.end()) return Refuse(404, now_ns);
    if (request.method != "GET" && request.method != "HEAD") return Refuse(405, now_ns, "Allow: GET, HEAD\r\n");
    std::string_view bytes = found->second;
    if (request.method == "HEAD") bytes = bytes.substr(0, bytes.find("\r\n\r\n") + 4);
    ChunkRef chunk = server_->hub_.pool()->Take();
    chunk->bytes = bytes;
    client->outbox.Push(std::move(chunk), Lane::kSnapshot);
    return Finish(now_ns);
  }
  if (request.method != "GET") return Refuse(405, now_ns, "Allow: GET\r\n");
  if (!request.wants_upgrade || !request.connection_upgrade) return Refuse(426, now_ns, "Upgrade: websocket\r\nConnection: Upgrade\r\n");
  if (request.version != "13") return Refuse(426, now_ns, "Sec-WebSocket-Version: 13\r\n");
  if (!IsWebSocketKey(request.key)) return Refuse(400, now_ns);
  if (!OriginAllowed(request)) return Refuse(403, now_ns);
  server_->hub_.PushFrames(client, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
                                       AcceptKey(request.key) + "\r\n\r\n");
  frames_ = std::make_unique<FrameReader>(server_->options_.message_bytes_max);
  open = true;
  deadline_ns = 0;
  ++server_->open_;
}

void Connection::Refuse(int status, std::uint64_t now_ns, std::string_view header) {
  ++server_->counters_.http_errors;
  const std::string body = std::to_string(status) + " " + HttpStatusText(status) + "\n";
  std::string text = "HTTP/1.1 " + std::to_string(status) + " " + HttpStatusText(status) +
                     "\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\nContent-Length: " +
                     std::to_string(body.size()) + "\r\n";
  // Connection: Upgrade of a 426 stands beside close; both are lists.
  text += header;
  text += "\r\n" + body;
  server_->hub_.PushFrames(client, text);
  Finish(now_ns);
}

void Connection::Finish(std::uint64_t now_ns) {
  shut = true;
  deadline_ns = now_ns + server_->options_.close_timeout_ms * 1'000'000ull;
}

bool Connection::HostAllowed(const HttpRequest& request) const {
  const auto& hosts = server_->options_.hosts;
  return hosts.empty() || std::find(hosts.begin(), hosts.end(), WithoutPort(request.host)) != hosts.end();
}

// Browsers always send Origin; a page of another site may not read the stream with its visitor's reach. Programs send none.
bool Connection::OriginAllowed(const HttpRequest& request) const {
  if (!request.has_origin) return true;
  const std::size_t scheme = request.origin.find("://");
  if (scheme != std::string::npos && std::string_view(request.origin).substr(scheme + 3) == request.host) return true;
  const auto& origins = server_->options_.origins;
  return std::any_of(origins.begin(), origins.end(), [&](const auto& origin) { return origin == "*" || origin == request.origin; });
}

void Connection::StartClose(std::uint16_t code, std::string_view reason, std::uint64_t now_ns) {
  if (shut) return;
  std::string frame;
  AppendCloseFrame(code, reason, &frame);
  ChunkRef chunk = server_->hub_.pool()->Take();
  chunk->bytes = std::move(frame);
  client->outbox.Push(std::move(chunk), Lane::kControl);
  Finish(now_ns);
}

void Connection::OnMessage(Opcode opcode, std::string_view bytes) {
  if (client->close_code != 0) return;
  if (opcode == Opcode::kBinary) return server_->hub_.Close(client, 1003, "control messages are text");
  server_->hub_.OnText(client, bytes, now_ns_);
}

void Connection::OnPing(std::string_view bytes) {
  if (client->close_code != 0) return;
  std::string frame;
  AppendFrame(Opcode::kPong, bytes, &frame);
  server_->hub_.PushFrames(client, frame);
}

void Connection::OnPong(std::string_view) {}

void Connection::OnClose(std::uint16_t code, std::string_view) {
  received_close = true;
  server_->hub_.Close(client, code == 1005 ? 1000 : code, "");
}

}  // namespace tw::fanout
