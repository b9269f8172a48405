#include "model/decimal.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace tw {
namespace {

constexpr std::int64_t kPow10[] = {1LL,
                                   10LL,
                                   100LL,
                                   1000LL,
                                   10000LL,
                                   100000LL,
                                   1000000LL,
                                   10000000LL,
                                   100000000LL,
                                   1000000000LL,
                                   10000000000LL,
                                   100000000000LL,
                                   1000000000000LL,
                                   10000000000000LL,
                                   100000000000000LL,
                                   1000000000000000LL,
                                   10000000000000000LL,
                                   100000000000000000LL,
                                   1000000000000000000LL};

bool Digit(char c) { return c >= '0' && c <= '9'; }

template <class Int>
void AppendScaled(Int mantissa, int exponent, std::string* out) {
  if (mantissa == 0) {
    out->push_back('0');
    return;
  }
  using Unsigned = unsigned __int128;
  const bool negative = mantissa < 0;
  Unsigned magnitude = negative ? ~static_cast<Unsigned>(mantissa) + 1 : static_cast<Unsigned>(mantissa);
  while (exponent < 0 && magnitude % 10 == 0) {
    magnitude /= 10;
    ++exponent;
  }
  char digits[48];
  int count = 0;
  while (magnitude != 0) {
    digits[count++] = static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
  }
  if (negative) out->push_back('-');
  const int fraction = exponent < 0 ? -exponent : 0;
  if (count <= fraction) {
    out->append("0.");
    out->append(static_cast<std::size_t>(fraction - count), '0');
    while (count > 0) out->push_back(digits[--count]);
    return;
  }
  while (count > fraction) out->push_back(digits[--count]);
  if (fraction > 0) {
    out->push_back('.');
    while (count > 0) out->push_back(digits[--count]);
  }
  if (exponent > 0) out->append(static_cast<std::size_t>(exponent), '0');
}

}  // namespace

bool ParseDecimal(std::string_view text, Decimal* out) {
  const char* p = text.data();
  const char* const end = p + text.size();
  bool negative = false;
  if (p != end && (*p == '-' || *p == '+')) negative = *p++ == '-';
  std::uint64_t mantissa = 0;
  std::int32_t exponent = 0;
  std::int32_t zeros = 0;  // Trailing zeros not yet multiplied in, so that "1.00000000000000000000" fits.
  bool any = false;
  bool fraction = false;
  for (; p != end; ++p) {
    if (*p == '.') {
      if (fraction) return false;
      fraction = true;
      continue;
    }
    if (!Digit(*p)) break;
    any = true;
    if (fraction) --exponent;
    if (*p == '0') {
      if (mantissa != 0 && ++zeros > 4096) return false;
      continue;
    }
    for (; zeros > 0; --zeros) {
      if (mantissa > std::numeric_limits<std::uint64_t>::max() / 10) return false;
      mantissa *= 10;
    }
    const auto digit = static_cast<std::uint64_t>(*p - '0');
    if (mantissa > (static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - digit) / 10) return false;
    mantissa = mantissa * 10 + digit;
  }
  if (!any || exponent < -4096) return false;
  if (p != end && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p != end && *p == '+') ++p;
    int power = 0;
    const auto [stop, error] = std::from_chars(p, end, power);
    if (error != std::errc() || stop != end || power < -400 || power > 400) return false;
    exponent += power;
    p = end;
  }
  if (p != end) return false;
  // Zeros held back stay in the exponent where they do not fit the mantissa.
  while (zeros > 0 && mantissa <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / 10) {
    mantissa *= 10;
    --zeros;
  }
  exponent += zeros;
  if (mantissa == 0 && exponent < -18) exponent = 0;
  out->mantissa = negative ? -static_cast<std::int64_t>(mantissa) : static_cast<std::int64_t>(mantissa);
  out->exponent = exponent;
  return true;
}

bool Rescale(Decimal value, int exponent, std::int64_t* out) {
  if (value.mantissa == 0) {
    *out = 0;
    return true;
  }
  int shift = value.exponent - exponent;
  std::int64_t mantissa = value.mantissa;
  if (shift > 0) {
    if (shift > 18) return false;
    return !__builtin_mul_overflow(mantissa, kPow10[shift], out) && *out != std::numeric_limits<std::int64_t>::min();
  }
  for (; shift < 0; ++shift) {
    if (mantissa % 10 != 0) return false;
    mantissa /= 10;
  }
  *out = mantissa;
  return true;
}

bool ParseScaled(std::string_view text, int exponent, std::int64_t* out) {
  Decimal value;
  return ParseDecimal(text, &value) && Rescale(value, exponent, out);
}

bool FromFloatShortest(float value, Decimal* out) {
  if (!std::isfinite(value)) return false;
  char text[64];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return error == std::errc() && ParseDecimal({text, static_cast<std::size_t>(end - text)}, out);
}

bool FromDoubleShortest(double value, Decimal* out) {
  if (!std::isfinite(value)) return false;
  char text[64];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return error == std::errc() && ParseDecimal({text, static_cast<std::size_t>(end - text)}, out);
}

void AppendDecimal(std::int64_t mantissa, int exponent, std::string* out) {
  AppendScaled<__int128>(mantissa, exponent, out);
}

void AppendDecimal128(__int128 mantissa, int exponent, std::string* out) { AppendScaled<__int128>(mantissa, exponent, out); }

}  // namespace tw
