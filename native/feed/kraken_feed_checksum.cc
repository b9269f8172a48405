#include "feed/kraken_feed_checksum.h"

#include <algorithm>
#include <array>

namespace tw::feed {
namespace {

constexpr std::array<std::uint32_t, 256> MakeTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kTable = MakeTable();

bool AddDigits(std::int64_t value, int exponent, int decimals, std::uint32_t* crc) {
  if (value < 0) return false;
  auto digits = static_cast<unsigned __int128>(value);
  for (; exponent > -decimals; --exponent) {
    if (digits >> 100 != 0) return false;
    digits *= 10;
  }
  auto small = static_cast<std::uint64_t>(digits);
  if (small != digits) return false;
  for (; exponent < -decimals; ++exponent) {
    if (small % 10 != 0) return false;
    small /= 10;
  }
  char text[20];
  int n = 0;
  for (; small != 0; small /= 10) text[n++] = static_cast<char>('0' + small % 10);
  while (n > 0) *crc = kTable[(*crc ^ static_cast<std::uint8_t>(text[--n])) & 0xff] ^ (*crc >> 8);
  return true;
}

}  // namespace

bool KrakenChecksum(const Book& book, int price_exponent, int size_exponent, KrakenPrecision precision, std::uint32_t* out) {
  std::uint32_t crc = 0xffffffffu;
  for (const BookHalf* half : {&book.asks, &book.bids}) {
    for (std::size_t i = 0; i < std::min<std::size_t>(half->size(), 10); ++i) {
      const BookLevel& level = (*half)[i];
      if (!AddDigits(level.price, price_exponent, precision.price, &crc) ||
          !AddDigits(level.size, size_exponent, precision.size, &crc))
        return false;
    }
  }
  *out = ~crc;
  return true;
}

}  // namespace tw::feed
