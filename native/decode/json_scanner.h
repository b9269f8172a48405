// Pieces of a schema-directed JSON scanner: each call takes exactly what a schema expects next or says false. It never guesses:
// anything else a JSON text may hold there (a space, an escape, a byte beyond ASCII, another key) is the general parser's work.
//
// What a scanner accepts is a subset of JSON, so a text it takes to the end reads the same in the general parser.
#pragma once
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tw::decode {

// One price level as the venue spells it.
struct LevelText {
  std::string_view price;
  std::string_view size;
  bool operator==(const LevelText&) const = default;
};

// The integer at 10^exponent of a decimal text: what tw::ParseScaled gives, with the common shapes (up to 7 digits before the
// point, up to 8 behind it) read eight digits at a step.
bool ParseScaledText(std::string_view text, int exponent, std::int64_t* out);

// A JSON number: an optional minus, digits without a leading zero, fraction, exponent.
bool IsJsonNumber(std::string_view text);

// "2021-04-17T16:43:37.089723Z", up to nine digits of fraction, to ns UTC. Years 1990 to 2099.
bool ParseIsoTime(std::string_view text, std::uint64_t* ns);

// Unix time as a venue's integer in ms or µs (the two ranges of 1990 to 2099 do not meet), to ns UTC.
bool UnixToNs(std::uint64_t value, std::uint64_t* ns);

inline constexpr std::uint64_t kEightZeros = 0x3030303030303030ULL;

// Eight ASCII digits less '0', the first in the lowest byte, as a number.
inline std::uint64_t EightDigits(std::uint64_t digits) {
  digits = digits * 10 + (digits >> 8);
  return (((digits & 0x000000ff000000ffULL) * 0x000f424000000064ULL) +
          (((digits >> 16) & 0x000000ff000000ffULL) * 0x0000271000000001ULL)) >>
         32;
}
// The high bit of the lowest byte that is not a digit less '0' is set; bytes above it may be set wrongly.
inline std::uint64_t NotDigits(std::uint64_t digits) {
  return ((digits + 0x7676767676767676ULL) | digits) & 0x8080808080808080ULL;
}
inline std::uint64_t Load8(const char* p) {
  std::uint64_t word;
  std::memcpy(&word, p, 8);
  return word;
}

class Scanner {
 public:
  explicit Scanner(std::span<const std::uint8_t> bytes)
      : p_(reinterpret_cast<const char*>(bytes.data())), end_(p_ + bytes.size()) {}

  // These bytes, exactly.
  template <std::size_t N>
  bool Take(const char (&text)[N]) {
    if (Left() < N - 1 || std::memcmp(p_, text, N - 1) != 0) return false;
    p_ += N - 1;
    return true;
  }
  bool Take(char c) {
    if (p_ == end_ || *p_ != c) return false;
    ++p_;
    return true;
  }
  // The byte `ahead` of the next; 0 behind the end.
  char Peek(std::size_t ahead = 0) const { return Left() > ahead ? p_[ahead] : '\0'; }
  bool AtEnd() const { return p_ == end_; }

  // An unsigned integer of at most 16 digits, without a leading zero.
  bool Uint(std::uint64_t* out) {
    if (Left() < 17) return UintNearEnd(out);
    const std::uint64_t first = Load8(p_) ^ kEightZeros;
    const std::uint64_t stop = NotDigits(first);
    if (stop != 0) {
      const int digits = __builtin_ctzll(stop) >> 3;
      if (digits == 0 || (digits > 1 && *p_ == '0')) return false;
      *out = EightDigits(first << (64 - digits * 8));
      p_ += digits;
      return true;
    }
    const std::uint64_t second = Load8(p_ + 8) ^ kEightZeros;
    const std::uint64_t stop2 = NotDigits(second);
    const int digits = stop2 == 0 ? 8 : __builtin_ctzll(stop2) >> 3;
    if (*p_ == '0' || (stop2 == 0 && p_[16] >= '0' && p_[16] <= '9')) return false;
    static constexpr std::uint64_t kPower[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    const std::uint64_t low = digits == 0 ? 0 : EightDigits(second << (64 - digits * 8));
    *out = EightDigits(first) * kPower[digits] + low;
    p_ += 8 + digits;
    return true;
  }

  // The rest of a string whose opening quote is taken, and its closing quote. Printable ASCII without escapes only.
  bool String(std::string_view* out) {
    const char* const start = p_;
    const char* p = p_;
#if defined(__SSE2__)
    while (end_ - p >= 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      const int quote = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
      // Signed: bytes beyond ASCII are negative, and so below a space as well.
      const int bad =
          _mm_movemask_epi8(_mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
      if (quote != 0) {
        const int at = __builtin_ctz(static_cast<unsigned>(quote));
        if ((bad & ((1 << at) - 1)) != 0) return false;
        p += at;
        *out = {start, static_cast<std::size_t>(p - start)};
        p_ = p + 1;
        return true;
      }
      if (bad != 0) return false;
      p += 16;
    }
#endif
    for (; p != end_; ++p) {
      if (*p == '"') {
        *out = {start, static_cast<std::size_t>(p - start)};
        p_ = p + 1;
        return true;
      }
      if (static_cast<unsigned char>(*p) < ' ' || *p == '\\' || static_cast<unsigned char>(*p) > 0x7f) return false;
    }
    return false;
  }

  bool Bool(bool* out) {
    if (Take("true")) return *out = true;
    *out = false;
    return Take("false");
  }

  // A plain number of at most 24 characters as its text; one with a power of ten is left to the general parser, which knows
  // what no double can hold.
  bool Number(std::string_view* out) {
    const char* p = p_;
    while (p != end_ && ((*p >= '0' && *p <= '9') || *p == '.' || *p == '-')) ++p;
    *out = {p_, static_cast<std::size_t>(p - p_)};
    p_ = p;
    return out->size() <= 24 && IsJsonNumber(*out);
  }

 private:
  std::size_t Left() const { return static_cast<std::size_t>(end_ - p_); }
  bool UintNearEnd(std::uint64_t* out);

  const char* p_;
  const char* end_;
};

// The general parser's input: ondemand needs readable bytes behind the text, so it is copied into a buffer that is reused.
// Not above 16 MB: no venue sends that.
inline constexpr std::size_t kFrameMax = 16u << 20;

// One line: the frame as it is with the white space between tokens left out. False: not one valid JSON value; nothing is added.
bool AppendJsonLine(std::span<const std::uint8_t> frame, std::string* out);

}  // namespace tw::decode
