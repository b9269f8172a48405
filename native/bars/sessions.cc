#include "bars/sessions.h"

#include <algorithm>

namespace tw::bars {
namespace {

std::int64_t FloorDay(std::int64_t local_ns) {
  return local_ns >= 0 ? local_ns / kNsPerDay : -((-local_ns + kNsPerDay - 1) / kNsPerDay);
}

}  // namespace

Interval Calendar::SessionOf(std::int64_t day) const {
  const std::int64_t open = spec_.zone.LocalToUtcNs(day * kNsPerDay + spec_.open_s * kNsPerSecond);
  const std::int64_t close = spec_.zone.LocalToUtcNs((day + (Overnight() ? 1 : 0)) * kNsPerDay + spec_.close_s * kNsPerSecond);
  return {static_cast<std::uint64_t>(open), static_cast<std::uint64_t>(close)};
}

bool Calendar::Find(std::uint64_t ts) {
  if (ts >= session_.start && ts < session_.end) return true;
  const std::int64_t day = FloorDay(spec_.zone.UtcToLocalNs(static_cast<std::int64_t>(ts)));
  for (const std::int64_t candidate : {day, day - 1}) {
    const Interval session = SessionOf(candidate);
    if (ts >= session.start && ts < session.end) {
      session_ = session;
      return true;
    }
  }
  return false;
}

Interval Calendar::At(std::uint64_t ts, std::uint32_t interval_ms) const {
  if (interval_ms >= kDayMs) return session_;
  const std::uint64_t length = static_cast<std::uint64_t>(interval_ms) * 1'000'000u;
  const std::uint64_t start = ts - (ts - session_.start) % length;
  return {start, std::min(start + length, session_.end)};
}

std::int64_t Calendar::DayOf(std::uint64_t ts) const {
  const std::int64_t local = spec_.zone.UtcToLocalNs(static_cast<std::int64_t>(ts));
  return FloorDay(Overnight() ? local - spec_.open_s * kNsPerSecond : local);
}

std::uint64_t Calendar::DayOpen(std::int64_t day) const { return SessionOf(day).start; }

}  // namespace tw::bars
