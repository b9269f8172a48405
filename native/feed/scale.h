// A venue's value to an instrument's exponent. False: it does not fit int64 or would lose digits (reason overflow).
#pragma once
#include <cmath>
#include <cstdint>

#include "model/decimal.h"
#include "model/record.h"

namespace tw::feed {

inline bool ScaleInteger(std::int64_t value, int from_exponent, int to_exponent, std::int64_t* out) {
  if (from_exponent == to_exponent) {
    *out = value;
    return true;
  }
  return Rescale({value, from_exponent}, to_exponent, out);
}

// The nearest value at the exponent, half to even: for numbers that were rounded by their sender already (32-bit floats,
// averages). False only when it does not fit.
inline bool ScaleRounded(Decimal value, int to_exponent, std::int64_t* out) {
  if (Rescale(value, to_exponent, out)) return true;
  int drop = to_exponent - value.exponent;
  if (drop <= 0) return false;
  std::int64_t mantissa = value.mantissa;
  bool rest = false;  // Anything below the digit dropped last.
  for (; drop > 1 && mantissa != 0; --drop) {
    rest |= mantissa % 10 != 0;
    mantissa /= 10;
  }
  if (drop > 1) {
    *out = 0;
    return true;
  }
  const std::int64_t digit = mantissa % 10;
  mantissa /= 10;
  const std::int64_t size = digit < 0 ? -digit : digit;
  if (size > 5 || (size == 5 && (rest || mantissa % 2 != 0))) mantissa += digit < 0 ? -1 : 1;
  *out = mantissa;
  return true;
}

// Unix seconds a market can have been open at: 1990 to 2100.
inline constexpr std::uint64_t kTimeSecondsMin = 631'152'000;
inline constexpr std::uint64_t kTimeSecondsMax = 4'102'444'800;
inline constexpr bool PlausibleSeconds(std::uint64_t s) { return s >= kTimeSecondsMin && s < kTimeSecondsMax; }
inline constexpr bool PlausibleNs(std::uint64_t ns) { return PlausibleSeconds(ns / 1'000'000'000); }

// A ticker that tells nothing yet.
inline Ticker EmptyTicker() {
  Ticker ticker{};
  ticker.last_price = ticker.last_size = ticker.average_price = ticker.volume = kNoPrice;
  ticker.buy_quantity = ticker.sell_quantity = kNoPrice;
  ticker.open_interest = ticker.open_interest_day_high = ticker.open_interest_day_low = kNoPrice;
  ticker.open = ticker.high = ticker.low = ticker.previous_close = kNoPrice;
  return ticker;
}

}  // namespace tw::feed
