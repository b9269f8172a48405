#include "fanout/accept_key.h"

#include <bit>
#include <cstring>

namespace tw::fanout {
namespace {

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::uint32_t LoadBigEndian(const std::uint8_t* at) {
  return static_cast<std::uint32_t>(at[0]) << 24 | static_cast<std::uint32_t>(at[1]) << 16 | static_cast<std::uint32_t>(at[2]) << 8 | at[3];
}

void Sha1Block(const std::uint8_t* block, std::uint32_t* h) {
  std::uint32_t w[80];
  for (int i = 0; i < 16; ++i) w[i] = LoadBigEndian(block + i * 4);
  for (int i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  std::uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
  for (int i = 0; i < 80; ++i) {
    std::uint32_t f;
    std::uint32_t k;
    if (i < 20) {
      f = (b & c) | (~b & d);
      k = 0x5a827999u;
    } else if (i < 40) {
      f = b ^ c ^ d;
      k = 0x6ed9eba1u;
    } else if (i < 60) {
      f = (b & c) | (b & d) | (c & d);
      k = 0x8f1bbcdcu;
    } else {
      f = b ^ c ^ d;
      k = 0xca62c1d6u;
    }
    const std::uint32_t next = std::rotl(a, 5) + f + e + k + w[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  h[0] += a;
  h[1] += b;
  h[2] += c;
  h[3] += d;
  h[4] += e;
}

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

}  // namespace

std::array<std::uint8_t, 20> Sha1(std::string_view text) {
  std::uint32_t h[5] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
  const auto* data = reinterpret_cast<const std::uint8_t*>(text.data());
  std::size_t left = text.size();
  for (; left >= 64; left -= 64, data += 64) Sha1Block(data, h);
  std::uint8_t tail[128] = {};
  if (left != 0) std::memcpy(tail, data, left);
  tail[left] = 0x80;
  const std::size_t padded = left + 9 <= 64 ? 64 : 128;
  const std::uint64_t bits = static_cast<std::uint64_t>(text.size()) * 8;
  for (std::size_t i = 0; i < 8; ++i) tail[padded - 1 - i] = static_cast<std::uint8_t>(bits >> (8 * i));
  Sha1Block(tail, h);
  if (padded == 128) Sha1Block(tail + 64, h);
  std::array<std::uint8_t, 20> digest;
  for (std::size_t i = 0; i < 20; ++i) digest[i] = static_cast<std::uint8_t>(h[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

std::string AcceptKey(std::string_view key) {
  const auto digest = Sha1(std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  std::string out;
  for (std::size_t i = 0; i < 20; i += 3) {
    const std::uint32_t group = static_cast<std::uint32_t>(digest[i]) << 16 | (i + 1 < 20 ? static_cast<std::uint32_t>(digest[i + 1]) << 8 : 0) |
                                (i + 2 < 20 ? digest[i + 2] : 0u);
    out += kBase64[group >> 18];
    out += kBase64[group >> 12 & 63];
    out += i + 1 < 20 ? kBase64[group >> 6 & 63] : '=';
    out += i + 2 < 20 ? kBase64[group & 63] : '=';
  }
  return out;
}

bool IsWebSocketKey(std::string_view key) {
  if (key.size() != 24 || key[22] != '=' || key[23] != '=') return false;
  for (std::size_t i = 0; i < 22; ++i) {
    if (Base64Value(key[i]) < 0) return false;
  }
  return (Base64Value(key[21]) & 15) == 0;  // The unused bits of the last digit.
}

}  // namespace tw::fanout
