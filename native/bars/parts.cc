// Bars out of smaller bars. The newest parts are held one by one, so that a part's next version replaces the former; a part
// that leaves them is folded into its intervals for good.
#include "bars/aggregator_read.h"

namespace tw::bars {

bool Aggregator::PartOf(const Bar& bar, Slot* part) {
  if (bar.open == kNoPrice || bar.high == kNoPrice || bar.low == kNoPrice || bar.close == kNoPrice) return false;
  if (bar.volume < 0 || bar.version == 0) return false;
  *part = Slot{};
  part->start = part->ts_first = part->ts_last = part->ts_open_interest = bar.header.ts_event;
  part->end = bar.ts_end > bar.header.ts_event ? bar.ts_end : bar.header.ts_event + bar.interval_ms * 1'000'000ull;
  part->open = bar.open;
  part->high = bar.high;
  part->low = bar.low;
  part->close = bar.close;
  part->volume = bar.volume;
  part->buy_volume = bar.buy_volume == kNoSize ? 0 : bar.buy_volume;
  part->open_interest = bar.open_interest;
  part->turnover_low = bar.turnover_low;
  part->turnover_high = bar.turnover_high;
  part->trades = bar.trades;
  part->gaps = bar.gaps;
  part->lost = bar.lost;
  part->version = bar.version;
  part->completeness = bar.completeness;
  part->marks = static_cast<std::uint8_t>(Slot::kFilled | (bar.buy_volume == kNoSize ? 0 : Slot::kSides));
  return true;
}

void Aggregator::OnPart(Node& node, const Bar& bar, Read& read) {
  Flow& flow = FlowOf(node, BarBasis::kBar);
  if (!BeginFlow(node, flow, BarBasis::kBar, read)) return;
  Slot part;
  if (!PartOf(bar, &part)) {
    ++stats_.bad_value;
    return;
  }
  part.first = part.last = read.position();
  for (std::size_t i = 0; i < flow.series.size(); ++i) {
    if (part.end > IntervalOf(node, i, part.start).end) {
      ++stats_.misaligned;
      return;
    }
  }
  Slot* held = flow.parts->Find(part.start);
  if (held != nullptr && held->start != part.start) {
    ++stats_.misaligned;
    return;
  }
  if (held != nullptr && part.version <= held->version) {
    ++stats_.repeats;
    return;
  }
  const bool replaces = held != nullptr;
  if (held == nullptr) {
    Slot evicted;
    bool has_evicted;
    held = flow.parts->Insert(part.start, part.end, &evicted, &has_evicted);
    if (held == nullptr) {
      ++stats_.too_late;
      return;
    }
    for (std::size_t i = 0; has_evicted && i < flow.series.size(); ++i) {
      Slot* slot = flow.series[i].slots.Find(evicted.start);
      if (slot != nullptr && !slot->Merge(evicted)) ++stats_.overflow;
    }
  }
  if (replaces && read.position() != 0 && held->first != 0) part.first = held->first;
  *held = part;
  ++stats_.ticks;
  BarReason reason = bar.version > 1 ? bar.reason : BarReason::kLate;
  if (read.repair) reason = BarReason::kBackfill;
  for (std::size_t i = 0; i < flow.series.size(); ++i) {
    Slot* slot = FindOrInsert(node, BarBasis::kBar, flow, i, part.start);
    if (slot == nullptr) {
      ++stats_.too_late;
      continue;
    }
    if (read.begins_session) slot->completeness |= kBarStartUnseen;
    Changed(node, BarBasis::kBar, i, *slot, read, reason);
  }
}

}  // namespace tw::bars
