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

// A JSON number: an optional minus, digits without a leading zero, fraction, exponent.
bool IsJsonNumber(std::string_view text);

// "2021-04-17T16:43:37.089723Z", up to nine digits of fraction, to ns UTC. Years 1990 to 2099.
bool ParseIsoTime(std::string_view text, std::uint64_t* ns);

// Unix time as a venue's integer in ms or µs (the two ranges of 1990 to 2099 do not meet), to ns UTC.
bool UnixToNs(std::uint64_t value, std::uint64_t* ns);

inline constexpr std::uint64_t kEightZeros = 0x3030303030303030ULL;

#define TW_SCANNER_INLINE [[gnu::always_inline]] inline

template <class Word>
TW_SCANNER_INLINE Word LoadWord(const char* p) {
  Word word;
  std::memcpy(&word, p, sizeof word);
  return word;
}
TW_SCANNER_INLINE std::uint64_t Load8(const char* p) { return LoadWord<std::uint64_t>(p); }
// Eight ASCII digits less '0', the first in the lowest byte, as a number.
TW_SCANNER_INLINE std::uint64_t EightDigits(std::uint64_t digits) {
  digits = digits * 10 + (digits >> 8);
  return (((digits & 0x000000ff000000ffULL) * 0x000f424000000064ULL) +
          (((digits >> 16) & 0x000000ff000000ffULL) * 0x0000271000000001ULL)) >>
         32;
}
// The high bit of the lowest byte that is not a digit less '0' is set; bytes above it may be set wrongly.
TW_SCANNER_INLINE std::uint64_t NotDigits(std::uint64_t digits) {
  return ((digits + 0x7676767676767676ULL) | digits) & 0x8080808080808080ULL;
}
// Whole words, the last one overlapping; the text is known when this is compiled.
template <std::size_t Size>
TW_SCANNER_INLINE bool SameBytes(const char* p, const char* text) {
  if constexpr (Size >= 8) {
    std::uint64_t other = LoadWord<std::uint64_t>(p + Size - 8) ^ LoadWord<std::uint64_t>(text + Size - 8);
    for (std::size_t i = 0; i + 8 < Size; i += 8) other |= LoadWord<std::uint64_t>(p + i) ^ LoadWord<std::uint64_t>(text + i);
    return other == 0;
  } else if constexpr (Size >= 4) {
    return ((LoadWord<std::uint32_t>(p) ^ LoadWord<std::uint32_t>(text)) |
            (LoadWord<std::uint32_t>(p + Size - 4) ^ LoadWord<std::uint32_t>(text + Size - 4))) == 0;
  } else if constexpr (Size >= 2) {
    return ((LoadWord<std::uint16_t>(p) ^ LoadWord<std::uint16_t>(text)) |
            (LoadWord<std::uint16_t>(p + Size - 2) ^ LoadWord<std::uint16_t>(text + Size - 2))) == 0;
  } else {
    return *p == *text;
  }
}

inline constexpr std::int64_t kPowerOfTen[] = {1LL,
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
bool ParseScaledSlow(std::string_view text, int exponent, std::int64_t* out);

// The integer at 10^exponent of a decimal text: what tw::ParseScaled gives, with the common shape (up to 7 digits before the
// point, up to 8 behind it) read eight digits at a step.
inline bool ParseScaledText(std::string_view text, int exponent, std::int64_t* out) {
  const std::size_t size = text.size();
  if (size < 8 || size > 16 || exponent > 0 || exponent < -18) return ParseScaledSlow(text, exponent, out);
  const std::uint64_t head = Load8(text.data());
  // The point is the only byte of a plain decimal with bit 4 clear; whatever else has it clear is no digit.
  const std::uint64_t point = ~head & 0x1010101010101010ULL;
  const int before = point == 0 ? 0 : __builtin_ctzll(point) >> 3;
  const int behind = static_cast<int>(size) - 1 - before;
  if (before == 0 || behind == 0 || behind > 8 || text[static_cast<std::size_t>(before)] != '.')
    return ParseScaledSlow(text, exponent, out);
  const std::uint64_t whole = (head ^ kEightZeros) << (64 - before * 8);
  const std::uint64_t fraction = (Load8(text.data() + size - 8) ^ kEightZeros) >> (64 - behind * 8);
  if ((NotDigits(whole) | NotDigits(fraction)) != 0) return ParseScaledSlow(text, exponent, out);
  const int decimals = -exponent;
  std::int64_t scaled = 0;
  if (decimals >= 8) {
    scaled = static_cast<std::int64_t>(EightDigits(fraction)) * kPowerOfTen[decimals - 8];
  } else {
    if ((fraction >> (decimals * 8)) != 0) return false;  // Digits would be lost.
    if (decimals != 0) scaled = static_cast<std::int64_t>(EightDigits(fraction << (64 - decimals * 8)));
  }
  std::int64_t units;
  return !__builtin_mul_overflow(static_cast<std::int64_t>(EightDigits(whole)), kPowerOfTen[decimals], &units) &&
         !__builtin_add_overflow(units, scaled, out);
}

// How long a field was the last time. Where the next field begins follows from where this one ends; guessed from before and only
// checked against the bytes, the processor reads all fields at once instead of each after the last. A wrong guess costs time
// alone.
struct LengthHint {
  std::size_t size = 0;
};

class Scanner {
 public:
  explicit Scanner(std::span<const std::uint8_t> bytes)
      : p_(reinterpret_cast<const char*>(bytes.data())), end_(p_ + bytes.size()) {}

  // These bytes, exactly.
  template <std::size_t N>
  TW_SCANNER_INLINE bool Take(const char (&text)[N]) {
    if (Left() < N - 1 || !SameBytes<N - 1>(p_, text)) return false;
    p_ += N - 1;
    return true;
  }
  TW_SCANNER_INLINE bool Take(char c) {
    if (p_ == end_ || *p_ != c) return false;
    ++p_;
    return true;
  }
  // The byte `ahead` of the next; 0 behind the end.
  char Peek(std::size_t ahead = 0) const { return Left() > ahead ? p_[ahead] : '\0'; }
  bool AtEnd() const { return p_ == end_; }

  // An unsigned integer of at most 16 digits, without a leading zero.
  TW_SCANNER_INLINE bool Uint(std::uint64_t* out, LengthHint* hint) {
    if (Left() < 17) [[unlikely]]
      return MoveTo(UintNearEnd(p_, end_, out));
    const std::uint64_t first = Load8(p_) ^ kEightZeros;
    const std::uint64_t stop = NotDigits(first);
    if (stop != 0) {
      const int digits = __builtin_ctzll(stop) >> 3;
      if (digits == 0 || (digits > 1 && *p_ == '0')) return false;
      *out = EightDigits(first << (64 - digits * 8));
      Advance(static_cast<std::size_t>(digits), hint);
      return true;
    }
    const std::uint64_t second = Load8(p_ + 8) ^ kEightZeros;
    const std::uint64_t stop2 = NotDigits(second);
    const int digits = stop2 == 0 ? 8 : __builtin_ctzll(stop2) >> 3;
    if (*p_ == '0' || (stop2 == 0 && p_[16] >= '0' && p_[16] <= '9')) return false;
    const std::uint64_t low = digits == 0 ? 0 : EightDigits(second << (64 - digits * 8));
    *out = EightDigits(first) * static_cast<std::uint64_t>(kPowerOfTen[digits]) + low;
    Advance(static_cast<std::size_t>(digits) + 8, hint);
    return true;
  }
  // The same, where thirteen digits are likely: a time in ms.
  TW_SCANNER_INLINE bool Time(std::uint64_t* out, LengthHint* hint) {
    if (Left() >= 17) [[likely]] {
      const std::uint64_t first = Load8(p_) ^ kEightZeros;
      const std::uint64_t last = Load8(p_ + 5) ^ kEightZeros;
      if ((NotDigits(first) | NotDigits(last)) == 0 && (first & 0xff) != 0 && (p_[13] < '0' || p_[13] > '9')) [[likely]] {
        *out = EightDigits(first) * 100'000 + EightDigits(last >> 24 << 24);
        p_ += 13;
        return true;
      }
    }
    return Uint(out, hint);
  }
  bool Uint(std::uint64_t* out) {
    LengthHint none;
    return Uint(out, &none);
  }

  // The rest of a string whose opening quote is taken, and its closing quote. Printable ASCII without escapes only.
  TW_SCANNER_INLINE bool String(std::string_view* out, LengthHint* hint) {
#if defined(__SSE2__)
    if (Left() >= 16) [[likely]] {
      // '#' to '[' needs no escape in JSON: symbols and decimals. What ends them must be the quote; anything else takes the long
      // way.
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p_));
      const unsigned others = static_cast<unsigned>(
          _mm_movemask_epi8(_mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8('#')), _mm_cmpgt_epi8(bytes, _mm_set1_epi8('[')))));
      const std::size_t size = static_cast<std::size_t>(__builtin_ctz(others | 0x8000u));
      if (p_[size] == '"') [[likely]] {
        const char* const start = p_;
        Advance(size + 1, hint);
        *out = {start, size};
        return true;
      }
    }
#endif
    return MoveTo(LongString(p_, end_, out));
  }
  bool String(std::string_view* out) {
    LengthHint none;
    return String(out, &none);
  }

  TW_SCANNER_INLINE bool Bool(bool* out) {
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
  TW_SCANNER_INLINE void Advance(std::size_t size, LengthHint* hint) {
    const std::size_t guess = hint->size;
    std::size_t step = guess;
    asm("" : "+r"(step));  // Else the compiler takes size for step where the comparison says that they are equal.
    if (guess != size) [[unlikely]] {
      hint->size = size;
      step = size;
      asm volatile("");  // A branch, not a conditional move.
    }
    p_ += step;
  }
#if defined(__SSE2__)
  static unsigned QuoteBits(__m128i bytes) {
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'))));
  }
  // Signed: bytes beyond ASCII are negative, and so below a space as well.
  static unsigned BadBits(__m128i bytes) {
    return static_cast<unsigned>(
        _mm_movemask_epi8(_mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')))));
  }
#endif
  std::size_t Left() const { return static_cast<std::size_t>(end_ - p_); }
  // By value and out of line, so that a scanner can live in registers. They answer where the field ends, null: refused.
  static const char* UintNearEnd(const char* p, const char* end, std::uint64_t* out);
  static const char* LongString(const char* p, const char* end, std::string_view* out);
  bool MoveTo(const char* p) {
    if (p == nullptr) return false;
    p_ = p;
    return true;
  }

  const char* p_;
  const char* end_;
};

// The general parser's input: ondemand needs readable bytes behind the text, so it is copied into a buffer that is reused.
// Not above 16 MB: no venue sends that.
inline constexpr std::size_t kFrameMax = 16u << 20;

// One line: the frame as it is with the white space between tokens left out. False: not one valid JSON value; nothing is added.
bool AppendJsonLine(std::span<const std::uint8_t> frame, std::string* out);

}  // namespace tw::decode
