// What the aggregator remembers of one instrument from one source: Node (identity, dedup) > Flow (one basis) > Series (one
// interval).
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "bars/slot_ring.h"
#include "bars/volume_difference.h"
#include "model/stream.h"

namespace tw::bars {

// One derived stream.
struct Series {
  std::uint64_t position = 0;  // (epoch, seq) of the last bar handed on.
  SlotRing slots;
};

// A hole in the input stream, remembered so that intervals it touches know of it, those whose first tick comes later too.
struct Hole {
  std::uint64_t from = 0;  // Event time of the last record before it…
  std::uint64_t to = 0;    // …and of the first one behind it, both inclusive.
  std::uint64_t count = 0;
};
inline constexpr std::uint32_t kHolesMax = 8;

struct FlowState {
  std::array<Hole, kHolesMax> holes{};
  VolumeDifference volume;
  std::uint64_t ts_last = 0;       // Event time of the last live record.
  std::uint32_t hole_count = 0;    // Ever; the newest kHolesMax are kept.
  std::uint32_t epoch = 0;         // Of the last live record: a higher one means that a session began.
  std::uint64_t hole_is_open = 0;  // The newest hole ends with the next live record.
};
static_assert(std::has_unique_object_representations_v<FlowState>);

struct Flow {
  FlowState state;
  std::vector<Series> series;       // One per interval, in the order of the options.
  std::unique_ptr<SlotRing> parts;  // Basis bar: the newest smaller bars, each replaceable by its next version.
};

inline constexpr std::size_t kBasisCount = 7;
inline constexpr std::size_t kCursorCount = 8;  // Trade, quote, ticker, parts; live and repair of each.

struct Node {
  std::uint32_t instrument_id = 0;
  std::uint8_t source = 0;   // Without kSourceBackfill.
  std::uint32_t epoch = 0;   // Highest of a live record.
  std::array<StreamCursor, kCursorCount> cursors{};
  std::array<std::unique_ptr<Flow>, kBasisCount> flows;  // By BarBasis.
};

}  // namespace tw::bars
