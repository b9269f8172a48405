// What a bars aggregator is asked to do, what it counts, and where its bars go.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bars/sessions.h"
#include "model/record.h"

namespace tw::bars {

inline constexpr std::size_t kIntervalsMax = 16;
inline constexpr std::uint32_t kIntervalMsMax = 86'400'000;
inline constexpr std::uint32_t kRecentMax = 64;  // Bars of a series that a late tick may still change.

constexpr std::uint8_t BasisBit(BarBasis basis) { return static_cast<std::uint8_t>(1u << static_cast<unsigned>(basis)); }

struct Options {
  std::vector<std::uint32_t> intervals_ms;           // Ascending, unique; each divides a day.
  std::uint8_t bases = BasisBit(BarBasis::kTrade);   // Set of BasisBit.
  std::uint64_t lateness_ns = 2'000'000'000;         // At most 60 of the shortest interval: an open bar is never evicted.
  std::uint32_t parts_interval_ms = 1'000;           // Basis bar: which smaller bars…
  BarBasis parts_basis = BarBasis::kTrade;           // …of which basis are the parts.
  std::vector<std::pair<std::uint8_t, SessionSpec>> sessions;  // By exchange number; others are aligned to the epoch.
  std::uint32_t nodes_max = 1'000'000;               // (instrument, source) pairs of one partition; more are refused, counted.
};

// Empty when `options` can be run, else what is wrong with them.
std::string CheckOptions(const Options& options);
// Changes whenever state written under other options could not be continued.
std::uint64_t OptionsHash(const Options& options);

struct Stats {
  std::uint64_t records = 0;           // Read, clocks and gaps included.
  std::uint64_t ticks = 0;             // Taken into bars.
  std::uint64_t bars = 0;              // First versions handed on.
  std::uint64_t corrections = 0;       // Later versions handed on.
  std::uint64_t late = 0;              // Ticks that changed a final bar, per interval.
  std::uint64_t too_late = 0;          // Ticks older than the recent bars of their series, per interval.
  std::uint64_t gaps = 0;              // Gap records taken.
  std::uint64_t clocks = 0;            // Clock records taken.
  std::uint64_t clocks_repeated = 0;   // Not above the last of their (source, shard).
  std::uint64_t repeats = 0;           // Not above the last accepted of their stream.
  std::uint64_t other_types = 0;       // No basis asked for reads them.
  std::uint64_t off_market = 0;        // Flagged off-market by the decoder.
  std::uint64_t suspect = 0;           // Flagged suspect: left out, moves nothing.
  std::uint64_t stale = 0;             // Flagged stale (a quarantined book): left out.
  std::uint64_t outside_session = 0;   // Between two sessions of the exchange.
  std::uint64_t bad_time = 0;          // Before 1990 or after 2100.
  std::uint64_t bad_value = 0;         // No price, or a negative size.
  std::uint64_t overflow = 0;          // A sum would not fit: the tick is left out of that interval.
  std::uint64_t version_overflow = 0;  // A 65,536th version: the bar changed, nobody is told.
  std::uint64_t volume_resets = 0;     // Cumulative volume fell.
  std::uint64_t misaligned = 0;        // A smaller bar that does not lie inside one interval.
  std::uint64_t refused_nodes = 0;     // Beyond nodes_max.
};

// Where an input record stands. The partition is the caller's.
struct InputPosition {
  std::uint64_t offset = 0;
  std::uint32_t index = 0;
  std::uint16_t input = 0;
};

class BarSink {
 public:
  virtual ~BarSink() = default;
  virtual void OnBar(const Bar& bar) = 0;
};

}  // namespace tw::bars
