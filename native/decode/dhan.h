// DhanHQ v2 live feed: little-endian packets, one or more in a WebSocket message.
//
//   header  u8 code, u16 length (whole packet), u8 segment, u32 security id
//   2 ticker 16: f32 ltp | u32 ltt            6 previous close 16: f32 close | u32 oi       5 oi 12: u32
//   4 quote 50:  f32 ltp | u16 ltq | u32 ltt | f32 atp | u32 volume | u32 SELL qty | u32 BUY qty | f32 open, CLOSE, high, low
//   8 full 162:  quote to 34 | u32 oi | u32 oi high | u32 oi low | f32 open, close, high, low | 5 depth levels at 62
//   3 depth 112: f32 ltp | 5 depth levels at 12       7 status 8       50 disconnect 10: u16 reason
//   level 20:    u32 bid qty | u32 ask qty | u16 bid orders | u16 ask orders | f32 bid | f32 ask
//
// Prices are 32-bit floats and stay floats here; ltt is the Indian wall clock in seconds (UTC + 19,800 s).
#pragma once
#include <cstdint>
#include <span>

#include "decode/bytes.h"
#include "model/reason.h"

namespace tw::decode {

inline constexpr std::uint32_t kDhanIstOffsetS = 19'800;

enum class DhanCode : std::uint8_t {
  kIndex = 1,  // Its layout is not published.
  kTicker = 2,
  kDepth = 3,
  kQuote = 4,
  kOpenInterest = 5,
  kPreviousClose = 6,
  kMarketStatus = 7,
  kFull = 8,
  kDisconnect = 50,
};

// The fixed size of a code's packet; 0: this build does not know it.
constexpr std::size_t DhanSize(std::uint8_t code) {
  switch (static_cast<DhanCode>(code)) {
    case DhanCode::kTicker:
    case DhanCode::kPreviousClose: return 16;
    case DhanCode::kDepth: return 112;
    case DhanCode::kQuote: return 50;
    case DhanCode::kOpenInterest: return 12;
    case DhanCode::kMarketStatus: return 8;
    case DhanCode::kFull: return 162;
    case DhanCode::kDisconnect: return 10;
    default: return 0;
  }
}

struct DhanLevel {
  std::uint32_t bid_quantity;
  std::uint32_t ask_quantity;
  std::uint16_t bid_orders;
  std::uint16_t ask_orders;
  float bid_price;
  float ask_price;
};

struct DhanPacket {
  DhanCode code;
  std::uint16_t length;
  std::uint8_t segment;
  std::uint32_t security_id;
  float last_price;            // 2, 3, 4, 8.
  std::uint32_t last_time;     // 2, 4, 8. Indian wall clock.
  std::uint16_t last_quantity;  // 4, 8, and the four below.
  float average_price;
  std::uint32_t volume;
  std::uint32_t sell_quantity;
  std::uint32_t buy_quantity;
  std::uint32_t open_interest;  // 5, 6 (the previous day's), 8.
  std::uint32_t open_interest_day_high;  // 8.
  std::uint32_t open_interest_day_low;
  float open;  // 4, 8.
  float close;
  float high;
  float low;
  float previous_close;  // 6.
  std::uint16_t reason;  // 50.
  DhanLevel levels[5];   // 3, 8.

  std::uint64_t venue_key() const { return (static_cast<std::uint64_t>(segment) << 32) | security_id; }
};

// One packet; only the fields of its code are set. kTruncated: less than a header. kUnknownType: its header alone is set.
Reason DecodeDhan(std::span<const std::uint8_t> packet, DhanPacket* out);

// What the venue means by a disconnect's reason.
const char* DhanDisconnectText(std::uint16_t reason);

// Calls take(span) for each packet of a message. By the packet's own length; where that cannot be (0, less than a header, more
// than there is) by the fixed size of its code. An all-zero stretch is a keep-alive: counted through heartbeat(), never looped on.
// kTruncated: the rest is no packet. kNone otherwise.
template <class Take, class Heartbeat>
Reason ForEachDhanPacket(std::span<const std::uint8_t> message, Take&& take, Heartbeat&& heartbeat) {
  std::size_t at = 0;
  while (at < message.size()) {
    const std::size_t left = message.size() - at;
    const std::uint8_t* packet = message.data() + at;
    if (packet[0] == 0 && (left < 3 || ReadLittle<std::uint16_t>(packet + 1) == 0)) {
      std::size_t end = at;
      while (end < message.size() && message[end] == 0) ++end;
      heartbeat();
      at = end;
      continue;
    }
    if (left < 8) return Reason::kTruncated;
    std::size_t length = ReadLittle<std::uint16_t>(packet + 1);
    if (length < 8 || length > left) length = DhanSize(packet[0]);
    if (length < 8 || length > left) return Reason::kTruncated;
    take(message.subspan(at, length));
    at += length;
  }
  return Reason::kNone;
}

}  // namespace tw::decode
