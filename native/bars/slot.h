// One interval of one series while it is open or may still be corrected, and how ticks and smaller bars fold into it. The
// same code folds the forming bar for whoever shows it.
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "model/record.h"

namespace tw::bars {

struct Tick {
  std::uint64_t ts = 0;
  std::int64_t price = 0;
  std::int64_t size = 0;
  std::int64_t open_interest = kNoSize;
  std::uint64_t position = 0;  // 0: a repair, whose numbers are of another stream.
  Side side = Side::kUnknown;
};

constexpr std::uint32_t AddSaturating(std::uint32_t a, std::uint64_t b) {
  const std::uint64_t sum = a + std::min<std::uint64_t>(b, std::numeric_limits<std::uint32_t>::max());
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(sum, std::numeric_limits<std::uint32_t>::max()));
}

// Trivially copyable without padding: the state in the log is these bytes.
struct Slot {
  enum Mark : std::uint8_t {
    kFilled = 1,      // Holds at least one tick or part.
    kOpen = 2,        // Will be handed on when its time comes.
    kCutPending = 4,  // The source ended: due at once.
    kSides = 8,       // At least one aggressor was told.
  };
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t ts_first = 0;  // Event times of open and close: order is event time, then wire order.
  std::uint64_t ts_last = 0;
  std::uint64_t ts_open_interest = 0;
  std::int64_t open = 0;
  std::int64_t high = 0;
  std::int64_t low = 0;
  std::int64_t close = 0;
  std::int64_t volume = 0;
  std::int64_t buy_volume = 0;
  std::int64_t open_interest = kNoSize;
  std::uint64_t turnover_low = 0;
  std::int64_t turnover_high = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint32_t trades = 0;
  std::uint32_t gaps = 0;
  std::uint32_t lost = 0;
  std::uint16_t version = 0;
  std::uint8_t completeness = 0;
  std::uint8_t marks = 0;

  bool Has(Mark mark) const { return (marks & mark) != 0; }
  void Set(Mark mark) { marks = static_cast<std::uint8_t>(marks | mark); }
  void Clear(Mark mark) { marks = static_cast<std::uint8_t>(marks & ~mark); }
  __int128 turnover() const {
    return static_cast<__int128>((static_cast<unsigned __int128>(static_cast<std::uint64_t>(turnover_high)) << 64) | turnover_low);
  }
  void set_turnover(__int128 value) {
    turnover_low = static_cast<std::uint64_t>(value);
    turnover_high = static_cast<std::int64_t>(value >> 64);
  }

  // False, and nothing changed: a sum does not fit.
  bool Add(const Tick& tick) {
    std::int64_t volume_sum;
    __int128 turnover_sum;
    if (__builtin_add_overflow(volume, tick.size, &volume_sum)) return false;
    if (__builtin_add_overflow(turnover(), static_cast<__int128>(tick.price) * tick.size, &turnover_sum)) return false;
    volume = volume_sum;
    set_turnover(turnover_sum);
    if (tick.side != Side::kUnknown) Set(kSides);
    if (tick.side == Side::kBuy) buy_volume += tick.size;  // Never above volume.
    FoldPrices(tick.ts, tick.ts, tick.price, tick.price, tick.price, tick.price);
    if (tick.open_interest != kNoSize) FoldOpenInterest(tick.ts, tick.open_interest);
    FoldPositions(tick.position, tick.position);
    trades = AddSaturating(trades, 1);
    return true;
  }

  // A smaller bar inside this one. Parts of a series have distinct starts, so the order of merging does not matter.
  bool Merge(const Slot& part) {
    std::int64_t volume_sum;
    std::int64_t buy_sum;
    __int128 turnover_sum;
    if (__builtin_add_overflow(volume, part.volume, &volume_sum)) return false;
    if (__builtin_add_overflow(buy_volume, part.buy_volume, &buy_sum)) return false;
    if (__builtin_add_overflow(turnover(), part.turnover(), &turnover_sum)) return false;
    volume = volume_sum;
    buy_volume = buy_sum;
    set_turnover(turnover_sum);
    FoldPrices(part.ts_first, part.ts_last, part.open, part.high, part.low, part.close);
    if (part.open_interest != kNoSize) FoldOpenInterest(part.ts_open_interest, part.open_interest);
    FoldPositions(part.first, part.last);
    trades = AddSaturating(trades, part.trades);
    gaps = AddSaturating(gaps, part.gaps);
    lost = AddSaturating(lost, part.lost);
    completeness = static_cast<std::uint8_t>(completeness | part.completeness);
    if (part.Has(kSides)) Set(kSides);
    return true;
  }

  void AddHole(std::uint64_t count) {
    gaps = AddSaturating(gaps, 1);
    completeness = static_cast<std::uint8_t>(completeness | kBarGapInside);
    if (count == kUnknownCount) {
      completeness = static_cast<std::uint8_t>(completeness | kBarLossUnknown);
    } else {
      lost = AddSaturating(lost, count);
    }
  }

 private:
  void FoldPrices(std::uint64_t from, std::uint64_t to, std::int64_t o, std::int64_t h, std::int64_t l, std::int64_t c) {
    if (!Has(kFilled)) {
      Set(kFilled);
      ts_first = from, ts_last = to;
      open = o, high = h, low = l, close = c;
      return;
    }
    if (from < ts_first) ts_first = from, open = o;
    if (to >= ts_last) ts_last = to, close = c;
    high = std::max(high, h);
    low = std::min(low, l);
  }
  void FoldOpenInterest(std::uint64_t ts, std::int64_t value) {
    if (open_interest == kNoSize || ts >= ts_open_interest) ts_open_interest = ts, open_interest = value;
  }
  void FoldPositions(std::uint64_t from, std::uint64_t to) {
    if (from == 0) return;
    first = first == 0 ? from : std::min(first, from);
    last = std::max(last, to);
  }
};
static_assert(sizeof(Slot) == 144 && std::is_trivially_copyable_v<Slot> && std::has_unique_object_representations_v<Slot>);

}  // namespace tw::bars
