// When an exchange trades, and which interval a time falls into. Clock-aligned intervals stand on the epoch; with a session
// they start at its open and the last one ends at its close, so that no bar crosses a session's end.
#pragma once
#include <cstdint>

#include "model/time_zone.h"

namespace tw::bars {

inline constexpr std::uint32_t kDayMs = 86'400'000;

struct SessionSpec {
  TimeZone zone;
  std::int32_t open_s = 0;  // Local seconds since midnight.
  std::int32_t close_s = 0; // At or before the open: on the next day. 86400 is midnight.
};

struct Interval {
  std::uint64_t start = 0;
  std::uint64_t end = 0;  // Exclusive.
};

inline Interval ClockInterval(std::uint64_t ts, std::uint32_t interval_ms) {
  const std::uint64_t length = static_cast<std::uint64_t>(interval_ms) * 1'000'000u;
  const std::uint64_t start = ts - ts % length;
  return {start, start + length};
}

// Remembers the last session it found: ticks of one session cost a comparison. One thread.
class Calendar {
 public:
  explicit Calendar(SessionSpec spec) : spec_(std::move(spec)) {}
  // False: no session holds `ts`.
  bool Find(std::uint64_t ts);
  // After Find was true for `ts`. 1d is the whole session, stamped with its open.
  Interval At(std::uint64_t ts, std::uint32_t interval_ms) const;
  // The trading day of a time in or out of session, to tell a new day's cumulative volume from a correction.
  std::int64_t DayOf(std::uint64_t ts) const;
  std::uint64_t DayOpen(std::int64_t day) const;

 private:
  bool Overnight() const { return spec_.close_s <= spec_.open_s; }
  Interval SessionOf(std::int64_t day) const;
  SessionSpec spec_;
  Interval session_;
};

}  // namespace tw::bars
