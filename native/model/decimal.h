// Decimal text and scaled integers. Exact: nothing here rounds unless its name says so, and what does not fit is refused.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace tw {

// value = mantissa x 10^exponent.
struct Decimal {
  std::int64_t mantissa = 0;
  std::int32_t exponent = 0;
};

// "-12.3400", "5", ".5", "1e-7". Trailing zeros after the point are kept in the exponent. False: empty, other bytes, or more
// digits than int64 holds once trailing zeros are dropped.
bool ParseDecimal(std::string_view text, Decimal* out);

// The mantissa of `value` at `exponent`. False: it does not fit int64, or digits would be lost.
bool Rescale(Decimal value, int exponent, std::int64_t* out);

// Text at a fixed exponent straight to the mantissa: ParseDecimal and Rescale in one pass, the decoders' hot path.
bool ParseScaled(std::string_view text, int exponent, std::int64_t* out);

// A 32-bit float as the shortest decimal that reads back as the same float (1320.800048828125 -> 1320.8). False: NaN, infinity.
bool FromFloatShortest(float value, Decimal* out);
bool FromDoubleShortest(double value, Decimal* out);

// Plain decimal text without trailing zeros: (6183763, -2) -> "61837.63", (0, -2) -> "0". Appends.
void AppendDecimal(std::int64_t mantissa, int exponent, std::string* out);
void AppendDecimal128(__int128 mantissa, int exponent, std::string* out);

}  // namespace tw
