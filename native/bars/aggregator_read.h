// Private to the aggregator's files.
#pragma once
#include "bars/aggregator.h"

namespace tw::bars {

// More closings than this from one record wait for the next record: an ordinal has 16 bits.
inline constexpr std::uint32_t kOutputsMax = 60'000;

struct Aggregator::Read {
  const Header* header;
  InputPosition at;
  std::uint32_t ordinal = 0;
  bool repair = false;
  bool begins_session = false;

  std::uint64_t position() const { return repair ? 0 : header->position(); }
};

}  // namespace tw::bars
