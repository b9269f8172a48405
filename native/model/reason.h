// Why bytes or a value were not taken. Every refusal is counted under one of these; names go to metrics and the CLI.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace tw {

enum class Reason : std::uint8_t {
  kNone = 0,
  kTruncated,          // Fewer bytes than the layout needs.
  kBadLength,          // A length that no packet of this venue has, or one that contradicts the frame.
  kUnknownType,        // A packet code, message type or channel this build does not know.
  kLegacyPacket,       // A layout the venue retired (Kite 164).
  kHeartbeat,          // Not a refusal: a keep-alive, counted.
  kTextMessage,        // Not a refusal: a text or control message with no market data.
  kBadJson,            // Not JSON, or a field missing or of the wrong kind.
  kBadNumber,          // Not a number, NaN, infinity, or out of the field's range.
  kBadEnum,            // An enumerated field with an unknown value.
  kOverflow,           // Does not fit the instrument's exponents.
  kUnknownInstrument,  // Not in the registry.
  kBadSymbol,          // A symbol outside [A-Z0-9.&_-]{1,40}.
  kBadTime,            // A time before 1990 or after 2100, or unreadable.
  kTrailingBytes,      // Bytes after the last packet of a frame.
  kSequence,           // A venue sequence that went back or jumped.
  kChecksum,           // A book that does not match the venue's checksum.
  kNotMarketData,      // A record kind outside this engine's records; counted and listed.
  kFiltered,           // A row the source's own filter excludes.
  kScannerFallback,    // Not a refusal: the JSON scanner met another byte and the general parser took over.
  kCount
};
inline constexpr std::size_t kReasonCount = static_cast<std::size_t>(Reason::kCount);

constexpr const char* ReasonName(Reason reason) {
  constexpr const char* kNames[kReasonCount] = {
      "none",        "truncated",     "bad_length",         "unknown_type", "legacy_packet", "heartbeat",      "text_message",
      "bad_json",    "bad_number",    "bad_enum",           "overflow",     "unknown_instrument", "bad_symbol", "bad_time",
      "trailing_bytes", "sequence",   "checksum",           "not_market_data", "filtered",   "scanner_fallback"};
  return kNames[static_cast<std::size_t>(reason)];
}

struct ReasonCounters {
  std::array<std::uint64_t, kReasonCount> counts{};
  void Add(Reason reason) { ++counts[static_cast<std::size_t>(reason)]; }
  std::uint64_t operator[](Reason reason) const { return counts[static_cast<std::size_t>(reason)]; }
};

}  // namespace tw
