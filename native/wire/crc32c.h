// CRC32C (Castagnoli). SSE4.2 or ARMv8 instructions where the machine has them, tables elsewhere; both are tested equal.
#pragma once
#include <cstddef>
#include <cstdint>

namespace tw::wire {

std::uint32_t Crc32c(const void* data, std::size_t size, std::uint32_t seed = 0);
std::uint32_t Crc32cPortable(const void* data, std::size_t size, std::uint32_t seed = 0);

}  // namespace tw::wire
