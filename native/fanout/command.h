// A client's control message: JSON text to a checked value. Pure. An unknown op, field or value is refused with the field
// and what it may be; nothing is guessed.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fanout/encoder.h"

namespace tw::fanout {

enum class Op : std::uint8_t { kSubscribe, kUnsubscribe, kPing, kStats, kTopics };
enum class Mode : std::uint8_t { kAll = 0, kConflate = 1 };
enum class Overflow : std::uint8_t { kDrop = 0, kDisconnect = 1 };  // Of mode all.

struct Command {
  Op op = Op::kPing;
  std::string id;  // JSON text to echo: a number or a quoted string; empty: none was given.
  std::string topic;
  std::vector<std::string> symbols;         // Sorted, no repeats; empty: all.
  std::vector<std::uint32_t> intervals_ms;  // Sorted.
  Format format = Format::kBinary;
  Mode mode = Mode::kAll;
  Overflow overflow = Overflow::kDrop;
  std::uint32_t interval_ms = 0;
  std::uint32_t last = 500;  // Bars per stream in the snapshot.
  bool snapshot = true;
  bool streams = false;            // stats: per stream too.
  std::uint32_t subscription = 0;  // unsubscribe.
};

struct CommandError {
  std::string field;
  std::string message;
  std::vector<std::string> valid;
};

inline constexpr std::size_t kSymbolsMax = 4096;  // Per subscription.

// False: *error says why. `id` in *out is set when it could be read.
bool ParseCommand(std::string_view text, Command* out, CommandError* error);

// "1s" → 1000, "3m", "1h", "1d". 0: not an interval.
std::uint32_t ParseInterval(std::string_view text);

void AppendJsonString(std::string_view text, std::string* out);

}  // namespace tw::fanout
