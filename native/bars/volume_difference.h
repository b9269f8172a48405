// Traded volume out of a cumulative counter (Kite, Dhan), by difference, never negative. Nothing is invented: the first
// sample only sets the base. A fall on the same day is the venue's correction: the counter starts anew from there, nothing
// traded. A fall on a later day is the new day's counter: all of it traded since the day began, provided that we were
// listening then (the same feed session as the last sample, or one that began before the day's open).
#pragma once
#include <cstdint>

#include "model/record.h"

namespace tw::bars {

struct VolumeDifference {
  std::int64_t last = kNoSize;
  std::int64_t day = 0;
  std::uint64_t epoch = 0;

  struct Step {
    std::int64_t volume = 0;
    bool reset = false;
  };
  Step Next(std::int64_t cumulative, std::int64_t today, std::uint64_t day_open_ns, std::uint32_t epoch_now) {
    Step step;
    if (cumulative < 0) return step;  // Not told.
    if (last != kNoSize) {
      if (today < day) return step;  // A sample of an earlier day that comes after today's.
      if (cumulative >= last) {
        step.volume = cumulative - last;
      } else {
        step.reset = true;
        const bool listening = epoch_now == epoch || static_cast<std::uint64_t>(epoch_now) * 1'000'000'000u <= day_open_ns;
        if (today > day && listening) step.volume = cumulative;
      }
    }
    last = cumulative;
    day = today;
    epoch = epoch_now;
    return step;
  }
};

}  // namespace tw::bars
