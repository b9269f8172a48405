#include "wire/crc32c.h"

#include <array>
#include <cstring>
#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace tw::wire {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78u;  // Reflected.

using Table = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Table MakeTable() {
  Table table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) ? kPolynomial : 0u);
    table[0][i] = crc;
  }
  for (std::uint32_t i = 0; i < 256; ++i) {
    for (std::size_t t = 1; t < 8; ++t) table[t][i] = (table[t - 1][i] >> 8) ^ table[0][table[t - 1][i] & 0xffu];
  }
  return table;
}
constexpr Table kTable = MakeTable();

// One step of the instruction costs 3 cycles of latency and can start each cycle: three independent runs over a block
// keep it busy, and two table look-ups per byte of the state join them. kShift[n] moves a CRC over n zero bytes.
constexpr std::size_t kLane = 1024;

// The CRC state after `zeros` zero bytes, as a linear map: 4 tables of 256.
using ShiftTable = std::array<std::array<std::uint32_t, 256>, 4>;

constexpr std::uint32_t ShiftOne(std::uint32_t crc, std::size_t zeros) {
  for (std::size_t i = 0; i < zeros; ++i) crc = (crc >> 8) ^ kTable[0][crc & 0xffu];
  return crc;
}

ShiftTable MakeShift(std::size_t zeros) {
  ShiftTable table{};
  std::array<std::uint32_t, 32> basis{};
  for (std::uint32_t bit = 0; bit < 32; ++bit) basis[bit] = ShiftOne(1u << bit, zeros);
  for (std::uint32_t byte = 0; byte < 4; ++byte) {
    for (std::uint32_t value = 0; value < 256; ++value) {
      std::uint32_t crc = 0;
      for (std::uint32_t bit = 0; bit < 8; ++bit) {
        if (value & (1u << bit)) crc ^= basis[byte * 8 + bit];
      }
      table[byte][value] = crc;
    }
  }
  return table;
}

std::uint32_t Shift(const ShiftTable& table, std::uint32_t crc) {
  return table[0][crc & 0xffu] ^ table[1][(crc >> 8) & 0xffu] ^ table[2][(crc >> 16) & 0xffu] ^ table[3][crc >> 24];
}

#if defined(__x86_64__)
#define TW_CRC_TARGET __attribute__((target("sse4.2")))
TW_CRC_TARGET inline std::uint64_t Step8(std::uint64_t crc, std::uint64_t word) { return _mm_crc32_u64(crc, word); }
TW_CRC_TARGET inline std::uint32_t Step1(std::uint32_t crc, std::uint8_t byte) { return _mm_crc32_u8(crc, byte); }
bool Supported() { return __builtin_cpu_supports("sse4.2"); }
#elif defined(__aarch64__)
#define TW_CRC_TARGET __attribute__((target("+crc")))
TW_CRC_TARGET inline std::uint64_t Step8(std::uint64_t crc, std::uint64_t word) { return __crc32cd(static_cast<std::uint32_t>(crc), word); }
TW_CRC_TARGET inline std::uint32_t Step1(std::uint32_t crc, std::uint8_t byte) { return __crc32cb(crc, byte); }
bool Supported() { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }
#endif

#if defined(TW_CRC_TARGET)
inline std::uint64_t Load8(const std::uint8_t* p) {
  std::uint64_t word;
  std::memcpy(&word, p, 8);
  return word;
}

TW_CRC_TARGET std::uint32_t Hardware(const std::uint8_t* p, std::size_t size, std::uint32_t crc) {
  static const ShiftTable kShift1 = MakeShift(kLane);
  static const ShiftTable kShift2 = MakeShift(2 * kLane);
  while (size >= 3 * kLane) {
    std::uint64_t a = crc;
    std::uint64_t b = 0;
    std::uint64_t c = 0;
    for (std::size_t i = 0; i < kLane; i += 8) {
      a = Step8(a, Load8(p + i));
      b = Step8(b, Load8(p + kLane + i));
      c = Step8(c, Load8(p + 2 * kLane + i));
    }
    crc = Shift(kShift2, static_cast<std::uint32_t>(a)) ^ Shift(kShift1, static_cast<std::uint32_t>(b)) ^ static_cast<std::uint32_t>(c);
    p += 3 * kLane;
    size -= 3 * kLane;
  }
  std::uint64_t word = crc;
  for (; size >= 8; p += 8, size -= 8) word = Step8(word, Load8(p));
  crc = static_cast<std::uint32_t>(word);
  for (; size > 0; ++p, --size) crc = Step1(crc, *p);
  return crc;
}
#endif

}  // namespace

std::uint32_t Crc32cPortable(const void* data, std::size_t size, std::uint32_t seed) {
  const auto* p = static_cast<const std::uint8_t*>(data);
  std::uint32_t crc = ~seed;
  for (; size >= 8; p += 8, size -= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    word ^= crc;
    crc = kTable[7][word & 0xff] ^ kTable[6][(word >> 8) & 0xff] ^ kTable[5][(word >> 16) & 0xff] ^ kTable[4][(word >> 24) & 0xff] ^
          kTable[3][(word >> 32) & 0xff] ^ kTable[2][(word >> 40) & 0xff] ^ kTable[1][(word >> 48) & 0xff] ^ kTable[0][word >> 56];
  }
  for (; size > 0; ++p, --size) crc = (crc >> 8) ^ kTable[0][(crc ^ *p) & 0xffu];
  return ~crc;
}

std::uint32_t Crc32c(const void* data, std::size_t size, std::uint32_t seed) {
#if defined(TW_CRC_TARGET)
  static const bool kSupported = Supported();
  if (kSupported) return ~Hardware(static_cast<const std::uint8_t*>(data), size, ~seed);
#endif
  return Crc32cPortable(data, size, seed);
}

}  // namespace tw::wire
