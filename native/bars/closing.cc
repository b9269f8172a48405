// When a bar leaves the aggregator: its interval is over, its source has ended, or a final one has changed.
#include "bars/aggregator_read.h"

namespace tw::bars {

// The slot has got a tick, a part or a hole. Still open: it waits for its end. Final: the next version goes out now.
void Aggregator::Changed(Node& node, BarBasis basis, std::size_t interval, Slot& slot, Read& read, BarReason reason) {
  if (watermark() >= slot.end) {
    if (slot.Has(Slot::kOpen)) return;  // Due, and waiting for CloseDue.
    ++stats_.late;
    Emit(node, basis, interval, slot, read, reason);
    return;
  }
  if (slot.Has(Slot::kOpen)) return;
  slot.Set(Slot::kOpen);
  PushDue(node, basis, interval, slot);
}

void Aggregator::PushDue(const Node& node, BarBasis basis, std::size_t interval, const Slot& slot) {
  Due due;
  due.at = slot.Has(Slot::kCutPending) ? 0 : slot.end;
  due.start = slot.start;
  due.interval_ms = options_.intervals_ms[interval];
  due.instrument_id = node.instrument_id;
  due.node = by_key_.at((static_cast<std::uint64_t>(node.instrument_id) << 8) | node.source);
  due.source = node.source;
  due.basis = static_cast<std::uint8_t>(basis);
  due.interval = static_cast<std::uint8_t>(interval);
  due_.Push(due);
}

void Aggregator::CloseDue(Read& read) {
  const std::uint64_t now = watermark();
  while (!due_.empty() && due_.top().at <= now && read.ordinal < kOutputsMax) {
    const Due due = due_.top();
    due_.Pop();
    Node& node = *nodes_[due.node];
    Slot* slot = node.flows[due.basis]->series[due.interval].slots.Find(due.start);
    if (slot == nullptr || slot->start != due.start || !slot->Has(Slot::kOpen)) continue;
    const bool cut = slot->Has(Slot::kCutPending);
    if (due.at == 0 && !cut) continue;
    slot->Clear(Slot::kOpen);
    slot->Clear(Slot::kCutPending);
    slot->completeness = static_cast<std::uint8_t>(cut ? slot->completeness | kBarCut : slot->completeness & ~kBarCut);
    // A bar that was cut, and went on with the source's next session, is changed by what came late for its first version.
    Emit(node, static_cast<BarBasis>(due.basis), due.interval, *slot, read, slot->version == 0 ? BarReason::kFirst : BarReason::kLate);
  }
}

bool Aggregator::Compose(const Flow& flow, const Slot& slot, Slot* out) const {
  *out = slot;
  if (flow.parts == nullptr) return true;
  const SlotRing& parts = *flow.parts;
  for (std::uint32_t i = 0; i < parts.size(); ++i) {
    if (parts[i].start < slot.start || parts[i].start >= slot.end) continue;
    if (!out->Merge(parts[i])) return false;
  }
  return true;
}

void Aggregator::Emit(Node& node, BarBasis basis, std::size_t interval, Slot& slot, Read& read, BarReason reason) {
  Series& series = node.flows[static_cast<std::size_t>(basis)]->series[interval];
  Slot whole;
  if (!Compose(*node.flows[static_cast<std::size_t>(basis)], slot, &whole)) {
    ++stats_.overflow;
    return;
  }
  if (!whole.Has(Slot::kFilled)) return;  // Only a hole: nothing traded, no bar.
  const std::uint64_t next = (series.position >> 32) == node.epoch ? series.position + 1 : (static_cast<std::uint64_t>(node.epoch) << 32) | 1;
  if (slot.version == 0xffff || (next >> 32) != node.epoch) {
    ++stats_.version_overflow;
    return;
  }
  ++slot.version;
  series.position = next;

  Bar bar{};
  bar.header.ts_event = slot.start;
  bar.header.ts_recv = read.header->ts_recv;
  bar.header.seq = static_cast<std::uint32_t>(next);
  bar.header.epoch = node.epoch;
  bar.header.instrument_id = node.instrument_id;
  bar.header.type = RecordType::kBar;
  bar.header.source = node.source;
  bar.header.flags = slot.version > 1 ? kFlagCorrection : 0;
  bar.open = whole.open;
  bar.high = whole.high;
  bar.low = whole.low;
  bar.close = whole.close;
  bar.volume = whole.volume;
  bar.turnover_low = whole.turnover_low;
  bar.turnover_high = whole.turnover_high;
  bar.vwap = Vwap(whole.turnover(), whole.volume);
  bar.first = whole.first;
  bar.last = whole.last;
  bar.buy_volume = whole.Has(Slot::kSides) ? whole.buy_volume : kNoSize;
  bar.open_interest = whole.open_interest;
  bar.ts_end = slot.end;
  bar.interval_ms = options_.intervals_ms[interval];
  bar.trades = whole.trades;
  bar.gaps = whole.gaps;
  bar.lost = whole.lost;
  bar.version = slot.version;
  bar.basis = basis;
  bar.reason = reason;
  bar.completeness = whole.completeness;
  bar.cause = {read.at.offset, read.at.index, static_cast<std::uint16_t>(read.ordinal), read.at.input};
  ++read.ordinal;
  if (slot.version == 1) {
    ++stats_.bars;
  } else {
    ++stats_.corrections;
  }
  sink_->OnBar(bar);
}

}  // namespace tw::bars
