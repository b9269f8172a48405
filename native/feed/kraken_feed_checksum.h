// Kraken's book checksum: CRC32 (IEEE) over the digits of the ten best asks, then bids, best first, price before size, at the
// pair's own number of decimals, without point and leading zeros.
#pragma once
#include <cstdint>

#include "feed/book.h"

namespace tw::feed {

struct KrakenPrecision {
  int price = 0;  // Decimals.
  int size = 0;
};

// The book's values stand at these exponents. False: a value has more decimals than the precision.
bool KrakenChecksum(const Book& book, int price_exponent, int size_exponent, KrakenPrecision precision, std::uint32_t* out);

}  // namespace tw::feed
