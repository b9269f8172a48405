// Zerodha Kite ticker: big-endian frames of packets.
//
//   frame   u16 count, then count times { u16 length, packet }       a frame shorter than 2 bytes is a heartbeat
//   packet  32-bit words; the depth's last word of each entry is u16 orders, u16 padding
//     word 0 token | 1 last price
//     index 28/32: 2 high | 3 low | 4 open | 5 close | 6 change (signed) | 7 exchange time
//     quote 44:    2 last quantity | 3 average | 4 volume | 5 buy quantity | 6 sell quantity | 7 open | 8 high | 9 low | 10 close
//     full 184:    quote, then 11 last trade time | 12 oi | 13 oi high | 14 oi low | 15 exchange time | 16 + 3k depth, k = 0..9
//     legacy 164:  quote, then 11 + 3k depth: retired by the venue, decoded for `describe` only
//
// Every field starts on a 4-byte boundary, so one byte swap over whole words decodes a packet; the accessors name the words.
#pragma once
#include <cstdint>
#include <span>

#include "decode/bytes.h"
#include "model/reason.h"

namespace tw::decode {

inline constexpr std::size_t kKiteWordsMax = 46;

enum class KiteKind : std::uint8_t { kLtp, kIndexQuote, kIndexFull, kQuote, kFull, kLegacyFull };

struct KiteDepthEntry {
  std::uint32_t quantity;
  std::int32_t price;
  std::uint16_t orders;
  std::uint16_t padding;
};

struct KitePacket {
  alignas(32) std::uint32_t words[48];  // In host order; those beyond length / 4 are not set.
  std::uint16_t length;
  KiteKind kind;

  std::uint32_t token() const { return words[0]; }
  std::uint8_t segment() const { return static_cast<std::uint8_t>(words[0] & 0xff); }
  std::uint32_t exchange_token() const { return words[0] >> 8; }
  std::int32_t last_price() const { return Signed(1); }
  bool is_index() const { return kind == KiteKind::kIndexQuote || kind == KiteKind::kIndexFull; }
  bool has_quote() const { return kind == KiteKind::kQuote || kind == KiteKind::kFull || kind == KiteKind::kLegacyFull; }

  // Index packets.
  std::int32_t index_high() const { return Signed(2); }
  std::int32_t index_low() const { return Signed(3); }
  std::int32_t index_open() const { return Signed(4); }
  std::int32_t index_close() const { return Signed(5); }
  std::int32_t index_change() const { return Signed(6); }

  // Quote and full. Quantities are unsigned: a volume above 2^31 is real.
  std::uint32_t last_quantity() const { return words[2]; }
  std::int32_t average_price() const { return Signed(3); }
  std::uint32_t volume() const { return words[4]; }
  std::uint32_t buy_quantity() const { return words[5]; }
  std::uint32_t sell_quantity() const { return words[6]; }
  std::int32_t open() const { return Signed(7); }
  std::int32_t high() const { return Signed(8); }
  std::int32_t low() const { return Signed(9); }
  std::int32_t close() const { return Signed(10); }

  // Full.
  std::uint32_t last_trade_time() const { return words[11]; }
  std::uint32_t open_interest() const { return words[12]; }
  std::uint32_t open_interest_day_high() const { return words[13]; }
  std::uint32_t open_interest_day_low() const { return words[14]; }
  std::uint32_t exchange_time() const { return kind == KiteKind::kIndexFull ? words[7] : words[15]; }
  // 0..4 buy, 5..9 sell, best first.
  KiteDepthEntry depth(std::size_t k) const {
    const std::uint32_t* entry = words + (kind == KiteKind::kLegacyFull ? 11 : 16) + 3 * k;
    return {entry[0], static_cast<std::int32_t>(entry[1]), static_cast<std::uint16_t>(entry[2] >> 16),
            static_cast<std::uint16_t>(entry[2])};
  }

 private:
  std::int32_t Signed(std::size_t i) const { return static_cast<std::int32_t>(words[i]); }
};

// Prices are integers of 10^exponent: currencies have their own, everything else is paise.
constexpr int KitePriceExponent(std::uint8_t segment) { return segment == 3 ? -7 : segment == 6 ? -4 : -2; }

// One packet without its length. kBadLength: no packet has this length. kLegacyPacket: decoded, but not market data any more.
Reason DecodeKite(std::span<const std::uint8_t> packet, KitePacket* out);

// Calls take(span) for each packet of a frame, in order. kHeartbeat, kTruncated (the packets before the cut were given),
// kTrailingBytes, or kNone.
template <class Take>
Reason ForEachKitePacket(std::span<const std::uint8_t> frame, Take&& take) {
  if (frame.size() < 2) return Reason::kHeartbeat;
  std::size_t at = 2;
  for (std::uint32_t left = ReadBig16(frame.data()); left > 0; --left) {
    if (frame.size() - at < 2) return Reason::kTruncated;
    const std::size_t length = ReadBig16(frame.data() + at);
    at += 2;
    if (frame.size() - at < length) return Reason::kTruncated;
    take(frame.subspan(at, length));
    at += length;
  }
  return at == frame.size() ? Reason::kNone : Reason::kTrailingBytes;
}

// Byte order of whole 32-bit words. Fast picks by the machine, once; Scalar is the reference and always there.
void SwapWordsScalar(const std::uint8_t* in, std::uint32_t* out, std::size_t words);
void SwapWordsFast(const std::uint8_t* in, std::uint32_t* out, std::size_t words);
// "avx2", "ssse3", "neon" or "scalar": what SwapWordsFast does here.
const char* SwapWordsPath();

}  // namespace tw::decode
