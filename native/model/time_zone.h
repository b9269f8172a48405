// A time zone as its transitions, so that native code needs no tz database: TypeScript derives them from Intl and hands
// them over once.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace tw {

inline constexpr std::int64_t kNsPerSecond = 1'000'000'000;
inline constexpr std::int64_t kNsPerDay = 86'400 * kNsPerSecond;

class TimeZone {
 public:
  struct Transition {
    std::int64_t utc_s;     // From this unix second on…
    std::int32_t offset_s;  // …local = utc + offset.
  };

  TimeZone() = default;  // UTC.
  // Sorted by utc_s; the first stands for all time before it as well.
  explicit TimeZone(std::vector<Transition> transitions) : transitions_(std::move(transitions)) {}

  std::int32_t OffsetAtUtc(std::int64_t utc_s) const {
    if (transitions_.empty()) return 0;
    auto after = std::upper_bound(transitions_.begin(), transitions_.end(), utc_s,
                                  [](std::int64_t t, const Transition& x) { return t < x.utc_s; });
    return after == transitions_.begin() ? transitions_.front().offset_s : std::prev(after)->offset_s;
  }
  std::int64_t UtcToLocalNs(std::int64_t utc_ns) const { return utc_ns + OffsetAtUtc(FloorSeconds(utc_ns)) * kNsPerSecond; }
  // A local time that a change skips or repeats is read with the offset before the change.
  std::int64_t LocalToUtcNs(std::int64_t local_ns) const {
    const std::int64_t local_s = FloorSeconds(local_ns);
    const std::int32_t guess = OffsetAtUtc(local_s - OffsetAtUtc(local_s));
    const std::int32_t earlier = OffsetAtUtc(local_s - guess - 7200);
    const bool is_guess = OffsetAtUtc(local_s - earlier) != earlier && OffsetAtUtc(local_s - guess) == guess;
    return local_ns - (is_guess ? guess : earlier) * kNsPerSecond;
  }

 private:
  static std::int64_t FloorSeconds(std::int64_t ns) {
    return ns >= 0 ? ns / kNsPerSecond : -((-ns + kNsPerSecond - 1) / kNsPerSecond);
  }
  std::vector<Transition> transitions_;
};

}  // namespace tw
