#include "decode/csv_time.h"

#include "model/decimal.h"

namespace tw::decode {
namespace {

// Up to `most` digits, at least one.
bool Digits(std::string_view* text, std::size_t most, int* value, std::size_t* count) {
  *value = 0;
  *count = 0;
  while (*count < most && *count < text->size() && (*text)[*count] >= '0' && (*text)[*count] <= '9') {
    *value = *value * 10 + ((*text)[*count] - '0');
    ++*count;
  }
  text->remove_prefix(*count);
  return *count > 0;
}

bool Month(std::string_view* text, int* month) {
  constexpr std::string_view kNames = "janfebmaraprmayjunjulaugsepoctnovdec";
  if (text->size() < 3) return false;
  for (int m = 0; m < 12; ++m) {
    bool same = true;
    for (std::size_t i = 0; i < 3; ++i) same &= ((*text)[i] | 0x20) == kNames[static_cast<std::size_t>(m) * 3 + i];
    if (!same) continue;
    *month = m + 1;
    text->remove_prefix(3);
    return true;
  }
  return false;
}

bool Zone(std::string_view* text, int* offset_s) {
  *offset_s = 0;
  if (text->empty()) return false;
  const char sign = text->front();
  text->remove_prefix(1);
  if (sign == 'Z' || sign == 'z') return true;
  if (sign != '+' && sign != '-') return false;
  int hours = 0, minutes = 0;
  std::size_t count = 0;
  if (!Digits(text, 2, &hours, &count) || count != 2) return false;
  if (!text->empty() && text->front() == ':') text->remove_prefix(1);
  if (!text->empty() && text->front() >= '0' && text->front() <= '9') {
    if (!Digits(text, 2, &minutes, &count) || count != 2) return false;
  }
  if (hours > 15 || minutes > 59) return false;
  *offset_s = (hours * 60 + minutes) * (sign == '-' ? -60 : 60);
  return true;
}

}  // namespace

bool DaysOf(int year, int month, int day, std::int64_t* days) {
  constexpr int kLength[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1900 || year > 2200 || month < 1 || month > 12 || day < 1) return false;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (day > kLength[month - 1] + (leap && month == 2 ? 1 : 0)) return false;
  // Years begin in March, so that the leap day is the last: the usual arithmetic of the civil calendar.
  const int y = month <= 2 ? year - 1 : year;
  const int era = y / 400;
  const int year_of_era = y - era * 400;
  const int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  *days = static_cast<std::int64_t>(era) * 146'097 + day_of_era - 719'468;
  return true;
}

bool ParseTime(std::string_view text, std::string_view format, std::int64_t* ns, bool* has_zone) {
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, fraction = 0, offset = 0;
  std::size_t fraction_digits = 9;
  *has_zone = false;
  for (std::size_t i = 0; i < format.size(); ++i) {
    // Writers leave the fraction out when it is zero: then its point goes with it.
    if (format.substr(i, 3) == ".%f" && (text.empty() || text.front() != '.')) {
      i += 2;
      continue;
    }
    if (format[i] != '%' || i + 1 == format.size()) {
      if (text.empty() || text.front() != format[i]) return false;
      text.remove_prefix(1);
      continue;
    }
    std::size_t count = 0;
    bool ok = true;
    switch (format[++i]) {
      case 'Y': ok = Digits(&text, 4, &year, &count) && count == 4; break;
      case 'y':
        ok = Digits(&text, 2, &year, &count) && count == 2;
        year += year < 69 ? 2000 : 1900;
        break;
      case 'm': ok = Digits(&text, 2, &month, &count); break;
      case 'd': ok = Digits(&text, 2, &day, &count); break;
      case 'b': ok = Month(&text, &month); break;
      case 'H': ok = Digits(&text, 2, &hour, &count); break;
      case 'M': ok = Digits(&text, 2, &minute, &count); break;
      case 'S': ok = Digits(&text, 2, &second, &count); break;
      case 'f': ok = Digits(&text, 9, &fraction, &fraction_digits); break;
      case 'z':
        ok = Zone(&text, &offset);
        *has_zone = true;
        break;
      case '%':
        ok = !text.empty() && text.front() == '%';
        if (ok) text.remove_prefix(1);
        break;
      default: return false;
    }
    if (!ok) return false;
  }
  std::int64_t days = 0;
  if (!text.empty() || hour > 23 || minute > 59 || second > 60 || !DaysOf(year, month, day, &days)) return false;
  std::int64_t fraction_ns = fraction;
  for (; fraction_digits < 9; ++fraction_digits) fraction_ns *= 10;
  *ns = (days * 86'400 + hour * 3'600 + minute * 60 + second - offset) * kNsPerSecond + fraction_ns;
  return true;
}

bool ParseUnits(std::string_view text, int exponent, std::int64_t* ns) {
  Decimal value;
  if (!ParseDecimal(text, &value)) return false;
  value.exponent += exponent;
  return Rescale(value, -9, ns);
}

}  // namespace tw::decode
