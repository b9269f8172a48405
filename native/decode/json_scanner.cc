#include "decode/json_scanner.h"

#include "decode/json_scanner_general.h"
#include "model/decimal.h"

namespace tw::decode {
namespace {

constexpr std::int64_t kPower[] = {1LL,
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
  return !__builtin_mul_overflow(static_cast<std::int64_t>(value), kPower[decimals - behind], out);
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

bool ParseScaledText(std::string_view text, int exponent, std::int64_t* out) {
  const std::size_t size = text.size();
  if (exponent > 0 || exponent < -18) return ParseScaled(text, exponent, out);
  const int decimals = -exponent;
  if (size >= 8 && size <= 16) [[likely]] {
    const std::uint64_t head = Load8(text.data());
    // The point is the only byte of a plain decimal with bit 4 clear; whatever else has it clear is caught as no digit.
    const std::uint64_t point = ~head & 0x1010101010101010ULL;
    if (point != 0) {
      const int before = __builtin_ctzll(point) >> 3;
      const int behind = static_cast<int>(size) - 1 - before;
      if (before >= 1 && behind >= 1 && behind <= 8 && text[static_cast<std::size_t>(before)] == '.') {
        const std::uint64_t whole = (head ^ kEightZeros) << (64 - before * 8);
        const std::uint64_t fraction = (Load8(text.data() + size - 8) ^ kEightZeros) >> (64 - behind * 8);
        if ((NotDigits(whole) | NotDigits(fraction)) != 0) return ParseScaled(text, exponent, out);
        std::int64_t scaled;
        if (decimals >= 8) {
          scaled = static_cast<std::int64_t>(EightDigits(fraction)) * kPower[decimals - 8];
        } else if (decimals == 0) {
          if (fraction != 0) return false;
          scaled = 0;
        } else {
          if ((fraction >> (decimals * 8)) != 0) return false;  // Digits would be lost.
          scaled = static_cast<std::int64_t>(EightDigits(fraction << (64 - decimals * 8)));
        }
        std::int64_t units;
        return !__builtin_mul_overflow(static_cast<std::int64_t>(EightDigits(whole)), kPower[decimals], &units) &&
               !__builtin_add_overflow(units, scaled, out);
      }
    }
  }
  if (size <= 17 && ShortScaled(text, decimals, out)) return true;
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
    fraction *= static_cast<std::uint64_t>(kPower[9 - digits.size()]);
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

bool Scanner::UintNearEnd(std::uint64_t* out) {
  const char* p = p_;
  while (p != end_ && IsDigit(*p)) ++p;
  const auto size = static_cast<std::size_t>(p - p_);
  if (size == 0 || size > 16 || (size > 1 && *p_ == '0')) return false;
  if (!Digits({p_, size}, out)) return false;
  p_ = p;
  return true;
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
