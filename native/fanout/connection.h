// One socket: HTTP first, WebSocket after the upgrade. Under the gateway's lock.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "fanout/http_request.h"
#include "fanout/hub.h"
#include "fanout/ws_frame.h"

namespace tw::fanout {

class Server;

class Connection final : public FrameSink {
 public:
  Connection(Server* server, int fd, std::uint64_t tag, Client* client, std::uint64_t now_ns);
  ~Connection() override;

  // Bytes from the peer.
  void OnBytes(const std::uint8_t* data, std::size_t size, std::uint64_t now_ns);
  // Starts the closing handshake from our side.
  void StartClose(std::uint16_t code, std::string_view reason, std::uint64_t now_ns);

  const int fd;
  const std::uint64_t tag;
  Client* const client;
  bool open = false;         // Upgraded.
  bool want_write = false;   // EPOLLOUT is asked for.
  bool shut = false;         // Nothing more will be sent: close when the outbox is empty.
  bool half_closed = false;  // shutdown(SHUT_WR) was done.
  bool pinged = false;
  bool received_close = false;
  std::uint64_t deadline_ns = 0;  // 0: none. Of the HTTP head or of closing.
  std::uint64_t heard_ns = 0;     // Last bytes from the peer.

 private:
  void OnMessage(Opcode opcode, std::string_view bytes) override;
  void OnPing(std::string_view bytes) override;
  void OnPong(std::string_view bytes) override;
  void OnClose(std::uint16_t code, std::string_view reason) override;
  void Answer(std::uint64_t now_ns);
  void Refuse(int status, std::uint64_t now_ns, std::string_view header = {});
  bool OriginAllowed(const HttpRequest& request) const;
  bool HostAllowed(const HttpRequest& request) const;
  void Finish(std::uint64_t now_ns);

  Server* const server_;
  std::unique_ptr<HttpReader> http_;
  std::unique_ptr<FrameReader> frames_;
  std::uint64_t now_ns_ = 0;
};

}  // namespace tw::fanout
