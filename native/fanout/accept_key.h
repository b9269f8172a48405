// Sec-WebSocket-Accept (RFC 6455 section 4.2.2): base64 of the SHA-1 of the client's key and a fixed text.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tw::fanout {

std::array<std::uint8_t, 20> Sha1(std::string_view text);
std::string AcceptKey(std::string_view key);

// True: base64 of exactly 16 bytes, the only thing a Sec-WebSocket-Key may be.
bool IsWebSocketKey(std::string_view key);

}  // namespace tw::fanout
