// Wall time carried by the monotonic clock: read once when the process first asks, then only forward. A step of the system
// clock does not move it; its rate follows the system's corrections.
#pragma once
#include <cstdint>
#include <ctime>

namespace tw::ring {

inline std::uint64_t ReadClockNs(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
}

inline std::uint64_t WallNowNs() {
  static const std::uint64_t offset = ReadClockNs(CLOCK_REALTIME) - ReadClockNs(CLOCK_MONOTONIC);
  return offset + ReadClockNs(CLOCK_MONOTONIC);
}

}  // namespace tw::ring
