// Unaligned little-endian and big-endian reads: what a wire format is made of. The caller has checked the bounds.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>

namespace tw::decode {

template <class T>
inline T ReadLittle(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;  // Both supported machines are little-endian.
}
static_assert(std::endian::native == std::endian::little);

inline std::uint16_t ReadBig16(const std::uint8_t* at) { return __builtin_bswap16(ReadLittle<std::uint16_t>(at)); }
inline std::uint32_t ReadBig32(const std::uint8_t* at) { return __builtin_bswap32(ReadLittle<std::uint32_t>(at)); }

}  // namespace tw::decode
