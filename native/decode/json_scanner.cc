#include "decode/json_scanner.h"

#include "decode/json_scanner_general.h"
#include "model/decimal.h"

namespace tw::decode {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool Digits(std::string_view text, std::uint64_t* out) {
  std::uint64_t value = 0;
  for (char c : text) {
    if (!IsDigit(c)) return false;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  *out = value;
  return true;
}

// Digits only, at most 17: cannot overflow.
bool ShortScaled(std::string_view text, int decimals, std::int64_t* out) {
  std::uint64_t value = 0;
  std::size_t i = 0;
  for (; i < text.size() && IsDigit(text[i]); ++i) value = value * 10 + static_cast<std::uint64_t>(text[i] - '0');
  if (i == 0) return false;
  int behind = 0;
  if (i < text.size()) {
    if (text[i] != '.' || i + 1 == text.size()) return false;
    for (++i; i < text.size(); ++i) {
      if (!IsDigit(text[i])) return false;
      if (behind == decimals) {
        if (text[i] != '0') return false;
        continue;
      }
      value = value * 10 + static_cast<std::uint64_t>(text[i] - '0');
      ++behind;
    }
  }
  return !__builtin_mul_overflow(static_cast<std::int64_t>(value), kPowerOfTen[decimals - behind], out);
}

// Days since 1970-01-01 of a Gregorian date.
std::int64_t DaysOf(std::int64_t year, std::int64_t month, std::int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = year / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

}  // namespace

bool ParseScaledSlow(std::string_view text, int exponent, std::int64_t* out) {
  if (exponent <= 0 && exponent >= -18 && text.size() <= 17 && ShortScaled(text, -exponent, out)) return true;
  return ParseScaled(text, exponent, out);
}

bool IsJsonNumber(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < text.size() && IsDigit(text[i])) ++i;
    return i - from;
  };
  if (i < text.size() && text[i] == '-') ++i;
  const bool zero = i < text.size() && text[i] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

bool ParseIsoTime(std::string_view text, std::uint64_t* ns) {
  if (text.size() < 20 || text.size() > 30 || text.back() != 'Z') return false;
  if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') return false;
  std::uint64_t year, month, day, hour, minute, second, fraction = 0;
  if (!Digits(text.substr(0, 4), &year) || !Digits(text.substr(5, 2), &month) || !Digits(text.substr(8, 2), &day) ||
      !Digits(text.substr(11, 2), &hour) || !Digits(text.substr(14, 2), &minute) || !Digits(text.substr(17, 2), &second)) {
    return false;
  }
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  static constexpr std::uint8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1990 || year > 2099 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return false;
  if (day < 1 || day > kDays[month - 1] + (leap && month == 2 ? 1u : 0u)) return false;
  if (text.size() > 20) {
    const std::string_view digits = text.substr(20, text.size() - 21);
    if (text[19] != '.' || digits.empty() || !Digits(digits, &fraction)) return false;
    fraction *= static_cast<std::uint64_t>(kPowerOfTen[9 - digits.size()]);
  }
  const std::int64_t days =
      DaysOf(static_cast<std::int64_t>(year), static_cast<std::int64_t>(month), static_cast<std::int64_t>(day));
  *ns = ((static_cast<std::uint64_t>(days) * 24 + hour) * 60 + minute) * 60 + second;
  *ns = *ns * 1'000'000'000ULL + fraction;
  return true;
}

bool UnixToNs(std::uint64_t value, std::uint64_t* ns) {
  constexpr std::uint64_t kFromS = 631'152'000;  // 1990-01-01.
  constexpr std::uint64_t kToS = 4'102'444'800;  // 2100-01-01.
  if (value >= kFromS * 1000 && value < kToS * 1000) {
    *ns = value * 1'000'000;
  } else if (value >= kFromS * 1'000'000 && value < kToS * 1'000'000) {
    *ns = value * 1000;
  } else {
    return false;
  }
  return true;
}

const char* Scanner::UintNearEnd(const char* p, const char* end, std::uint64_t* out) {
  const char* const start = p;
  while (p != end && IsDigit(*p)) ++p;
  const auto size = static_cast<std::size_t>(p - start);
  if (size == 0 || size > 16 || (size > 1 && *start == '0')) return nullptr;
  return Digits({start, size}, out) ? p : nullptr;
}

const char* Scanner::LongString(const char* p, const char* end, std::string_view* out) {
  const char* const start = p;
#if defined(__SSE2__)
  while (end - p >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const unsigned quote = QuoteBits(bytes), bad = BadBits(bytes);
    if ((quote == 0 ? bad : bad & (quote - 1) & ~quote) != 0) return nullptr;
    if (quote != 0) {
      p += __builtin_ctz(quote);
      *out = {start, static_cast<std::size_t>(p - start)};
      return p + 1;
    }
    p += 16;
  }
#endif
  for (; p != end; ++p) {
    if (*p == '"') {
      *out = {start, static_cast<std::size_t>(p - start)};
      return p + 1;
    }
    if (static_cast<unsigned char>(*p) < ' ' || *p == '\\' || static_cast<unsigned char>(*p) > 0x7f) return nullptr;
  }
  return nullptr;
}

bool AppendJsonLine(std::span<const std::uint8_t> frame, std::string* out) {
  if (frame.empty() || frame.size() > kFrameMax) return false;
  static thread_local simdjson::dom::parser parser;
  if (parser.parse(frame.data(), frame.size(), true).error() != simdjson::SUCCESS) return false;
  const std::size_t at = out->size();
  out->resize(at + frame.size() + 64);  // The minifier stores whole blocks.
  std::size_t size = 0;
  if (simdjson::minify(reinterpret_cast<const char*>(frame.data()), frame.size(), out->data() + at, size) != simdjson::SUCCESS) {
    out->resize(at);
    return false;
  }
  out->resize(at + size);
  out->push_back('\n');
  return true;
}

}  // namespace tw::decode
