// Gap records: which intervals they touch, and what their bars then say.
#include "bars/aggregator_read.h"

namespace tw::bars {

void Aggregator::OnGap(const Gap& gap, Read& read) {
  // Repairs are told by versions from 2 on, in the gaps topic; a hole in a repair is no hole in the live stream.
  const std::optional<int> cursor = CursorOf(gap.header, &gap);
  if (!cursor || gap.version > 1) {
    ++stats_.other_types;
    return;
  }
  Node* node = FindNode(gap.header.instrument_id, gap.header.source & ~kSourceBackfill, true);
  if (node == nullptr) {
    ++stats_.refused_nodes;
    return;
  }
  if (!node->cursors[static_cast<std::size_t>(*cursor)].Accept(&gap)) {
    ++stats_.repeats;
    return;
  }
  ++stats_.gaps;
  if (read.repair) return;
  const std::uint64_t from = gap.ts_from != 0 ? gap.ts_from : gap.header.ts_event;
  const Hole hole{std::min(from, gap.header.ts_event), std::max(from, gap.header.ts_event), gap.count};
  auto add = [&](BarBasis basis) {
    if (Reads(basis)) AddHole(*node, basis, FlowOf(*node, basis), hole, read);
  };
  switch (gap.of_type) {
    case RecordType::kTrade: add(BarBasis::kTrade); break;
    case RecordType::kTicker: add(BarBasis::kTicker); break;
    case RecordType::kBar: add(BarBasis::kBar); break;
    default:
      for (const BarBasis basis : {BarBasis::kBid, BarBasis::kAsk, BarBasis::kMid}) add(basis);
      break;
  }
}

void Aggregator::OnLogHole(const InputPosition& at) {
  Header header{};
  header.ts_recv = ts_max_;
  Read read{&header, at};
  for (const std::unique_ptr<Node>& node : nodes_) {
    for (std::size_t basis = 0; basis < kBasisCount; ++basis) {
      if (node->flows[basis] == nullptr || read.ordinal >= kOutputsMax) continue;
      const std::uint64_t ts = node->flows[basis]->state.ts_last;
      AddHole(*node, static_cast<BarBasis>(basis), *node->flows[basis], {ts, ts, kUnknownCount}, read);
    }
  }
  ++stats_.gaps;
}

void Aggregator::AddHole(Node& node, BarBasis basis, Flow& flow, const Hole& hole, Read& read) {
  FlowState& state = flow.state;
  state.holes[state.hole_count % kHolesMax] = hole;
  // The count only tells which of the eight is next, and whether there were eight: it stays small for ever.
  state.hole_count = state.hole_count + 1 < 2 * kHolesMax ? state.hole_count + 1 : kHolesMax;
  state.hole_is_open = 1;
  TouchSlots(node, basis, flow, hole, nullptr, read);
}

// Every recent interval that the hole touches and, as it was `before`, did not yet.
void Aggregator::TouchSlots(Node& node, BarBasis basis, Flow& flow, const Hole& hole, const Hole* before, Read& read) {
  for (std::size_t i = 0; i < flow.series.size(); ++i) {
    SlotRing& slots = flow.series[i].slots;
    for (std::uint32_t s = 0; s < slots.size(); ++s) {
      Slot& slot = slots[s];
      if (hole.from >= slot.end || hole.to < slot.start) continue;
      if (before != nullptr && before->from < slot.end && before->to >= slot.start) continue;
      slot.AddHole(hole.count);
      Changed(node, basis, i, slot, read, BarReason::kLate);
    }
  }
}

}  // namespace tw::bars
