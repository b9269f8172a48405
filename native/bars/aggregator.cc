#include "bars/aggregator.h"

#include "bars/aggregator_read.h"

namespace tw::bars {
namespace {

constexpr std::uint64_t kTimeMin = 631'152'000ull * 1'000'000'000;    // 1990.
constexpr std::uint64_t kTimeMax = 4'102'444'800ull * 1'000'000'000;  // 2100.
constexpr bool TimeIsSane(std::uint64_t ts) { return ts >= kTimeMin && ts < kTimeMax; }

}  // namespace

Aggregator::Aggregator(const Options& options, BarSink* sink) : options_(options), sink_(sink), calendars_(256) {
  for (const auto& [exchange, session] : options.sessions) calendars_[exchange] = std::make_unique<Calendar>(session);
}

void Aggregator::OnRecord(const void* record, const InputPosition& at) {
  const auto* header = static_cast<const Header*>(record);
  ++stats_.records;
  Read read{header, at, 0, (header->source & kSourceBackfill) != 0};
  switch (header->type) {
    case RecordType::kClock: OnClock(*static_cast<const Clock*>(record), read); break;
    case RecordType::kGap: OnGap(*static_cast<const Gap*>(record), read); break;
    default: OnData(record, read); break;
  }
  CloseDue(read);
}

void Aggregator::OnClock(const Clock& clock, Read& read) {
  if (!TimeIsSane(clock.header.ts_event)) {
    ++stats_.bad_time;
    return;
  }
  if (!shards_.Accept(clock)) {
    ++stats_.clocks_repeated;
    return;
  }
  ++stats_.clocks;
  if ((clock.header.flags & kFlagFinal) == 0) {
    MoveTime(clock.header.ts_event);
    return;
  }
  for (const std::unique_ptr<Node>& node : nodes_) {
    if (node->source != clock.header.source || !shards_.Belongs(node->source, node->epoch, clock.shard)) continue;
    for (std::size_t basis = 0; basis < kBasisCount; ++basis) {
      if (node->flows[basis] == nullptr) continue;
      for (std::size_t i = 0; i < options_.intervals_ms.size(); ++i) {
        SlotRing& slots = node->flows[basis]->series[i].slots;
        for (std::uint32_t s = 0; s < slots.size(); ++s) {
          if (!slots[s].Has(Slot::kOpen) || slots[s].Has(Slot::kCutPending)) continue;
          slots[s].Set(Slot::kCutPending);
          PushDue(*node, static_cast<BarBasis>(basis), i, slots[s]);
        }
      }
    }
  }
}

// The dedup cursor of a record's stream, or none when no basis asked for reads it.
std::optional<int> Aggregator::CursorOf(const Header& header, const void* record) const {
  const int repair = (header.source & kSourceBackfill) != 0 ? 1 : 0;
  switch (StreamOf(record).type) {
    case RecordType::kTrade:
      if (Reads(BarBasis::kTrade)) return 0 + repair;
      return std::nullopt;
    case RecordType::kQuote:
      if (Reads(BarBasis::kBid) || Reads(BarBasis::kAsk) || Reads(BarBasis::kMid)) return 2 + repair;
      return std::nullopt;
    case RecordType::kTicker:
      if (Reads(BarBasis::kTicker)) return 4 + repair;
      return std::nullopt;
    case RecordType::kBar: {
      if (!Reads(BarBasis::kBar)) return std::nullopt;
      const StreamKey key = StreamOf(record);
      if (header.type == RecordType::kBar && key.interval_ms != options_.parts_interval_ms) return std::nullopt;
      if (key.basis != options_.parts_basis) return std::nullopt;
      return 6 + repair;
    }
    default: return std::nullopt;
  }
}

void Aggregator::OnData(const void* record, Read& read) {
  const Header& header = *read.header;
  const std::optional<int> cursor = CursorOf(header, record);
  if (!cursor) {
    ++stats_.other_types;
    return;
  }
  if (!TimeIsSane(header.ts_event)) {
    ++stats_.bad_time;
    return;
  }
  Node* node = FindNode(header.instrument_id, header.source & ~kSourceBackfill, true);
  if (node == nullptr) {
    ++stats_.refused_nodes;
    return;
  }
  if (!node->cursors[static_cast<std::size_t>(*cursor)].Accept(record)) {
    ++stats_.repeats;
    return;
  }
  if ((header.flags & kFlagSuspect) != 0) {
    ++stats_.suspect;
    return;
  }
  if (!read.repair && header.epoch > node->epoch) node->epoch = header.epoch;
  switch (header.type) {
    case RecordType::kTrade: OnTrade(*node, *static_cast<const Trade*>(record), read); break;
    case RecordType::kQuote: OnQuote(*node, *static_cast<const Quote*>(record), read); break;
    case RecordType::kTicker: OnTicker(*node, *static_cast<const Ticker*>(record), read); break;
    default: OnPart(*node, *static_cast<const Bar*>(record), read); break;
  }
  MoveTime(header.ts_event);
}

void Aggregator::OnTrade(Node& node, const Trade& trade, Read& read) {
  if (!BeginFlow(node, FlowOf(node, BarBasis::kTrade), BarBasis::kTrade, read)) return;
  const std::int64_t size = trade.size == kNoSize ? 0 : trade.size;
  if (trade.price == kNoPrice || size < 0) {
    ++stats_.bad_value;
    return;
  }
  AddTick(node, BarBasis::kTrade, {read.header->ts_event, trade.price, size, kNoSize, read.position(), trade.side}, read);
}

void Aggregator::OnQuote(Node& node, const Quote& quote, Read& read) {
  const bool bid = quote.bid_price != kNoPrice;
  const bool ask = quote.ask_price != kNoPrice;
  for (const BarBasis basis : {BarBasis::kBid, BarBasis::kAsk, BarBasis::kMid}) {
    if (!Reads(basis) || !BeginFlow(node, FlowOf(node, basis), basis, read)) continue;
    std::int64_t price = kNoPrice;
    if (basis == BarBasis::kBid) price = quote.bid_price;
    if (basis == BarBasis::kAsk) price = quote.ask_price;
    if (basis == BarBasis::kMid && bid && ask) price = Mid(quote.bid_price, quote.ask_price);
    if (price == kNoPrice) continue;  // An empty side is no refusal: it makes no tick of that basis.
    AddTick(node, basis, {read.header->ts_event, price, 0, kNoSize, read.position(), Side::kUnknown}, read);
  }
}

void Aggregator::OnTicker(Node& node, const Ticker& ticker, Read& read) {
  Flow& flow = FlowOf(node, BarBasis::kTicker);
  VolumeDifference::Step step;
  // A repair's counter was already seen by the difference across the hole.
  if (!read.repair && (read.header->flags & (kFlagStale | kFlagOffMarket)) == 0) {
    const std::uint64_t ts = read.header->ts_event;
    const auto& calendar = calendars_[node.instrument_id >> 24];
    const std::int64_t today = calendar ? calendar->DayOf(ts) : static_cast<std::int64_t>(ts / kNsPerDay);
    const std::uint64_t open = calendar ? calendar->DayOpen(today) : static_cast<std::uint64_t>(today) * kNsPerDay;
    step = flow.state.volume.Next(ticker.volume, today, open, read.header->epoch);
    if (step.reset) ++stats_.volume_resets;
  }
  if (!BeginFlow(node, flow, BarBasis::kTicker, read)) return;
  if (ticker.last_price == kNoPrice) {
    ++stats_.bad_value;
    return;
  }
  AddTick(node, BarBasis::kTicker,
          {read.header->ts_event, ticker.last_price, step.volume, ticker.open_interest, read.position(), Side::kUnknown}, read);
}

// What every live record of a flow does before its value counts: it ends an open hole, and may be the first of a session.
// False: it makes no tick.
bool Aggregator::BeginFlow(Node& node, Flow& flow, BarBasis basis, Read& read) {
  const Header& header = *read.header;
  FlowState& state = flow.state;
  read.begins_session = false;
  if (!read.repair) {
    if (state.hole_is_open != 0) {
      state.hole_is_open = 0;
      Hole& hole = state.holes[(state.hole_count - 1) % kHolesMax];
      if (header.ts_event > hole.to) {
        const Hole before = hole;
        hole.to = header.ts_event;
        TouchSlots(node, basis, flow, hole, &before, read);
      }
    }
    read.begins_session = header.epoch > state.epoch;
    if (read.begins_session) state.epoch = header.epoch;
    state.ts_last = header.ts_event;
  }
  if ((header.flags & kFlagOffMarket) != 0) {
    ++stats_.off_market;
    return false;
  }
  if ((header.flags & kFlagStale) != 0) {
    ++stats_.stale;
    return false;
  }
  const auto& calendar = calendars_[node.instrument_id >> 24];
  if (calendar && !calendar->Find(header.ts_event)) {
    ++stats_.outside_session;
    return false;
  }
  return true;
}

void Aggregator::AddTick(Node& node, BarBasis basis, const Tick& tick, Read& read) {
  Flow& flow = FlowOf(node, basis);
  ++stats_.ticks;
  for (std::size_t i = 0; i < flow.series.size(); ++i) {
    Slot* slot = FindOrInsert(node, basis, flow, i, tick.ts);
    if (slot == nullptr) {
      ++stats_.too_late;
      continue;
    }
    if (!slot->Add(tick)) {
      ++stats_.overflow;
      continue;
    }
    if (read.begins_session) slot->completeness |= kBarStartUnseen;
    Changed(node, basis, i, *slot, read, read.repair ? BarReason::kBackfill : BarReason::kLate);
  }
}

Interval Aggregator::IntervalOf(const Node& node, std::size_t interval, std::uint64_t ts) {
  const std::uint32_t ms = options_.intervals_ms[interval];
  const auto& calendar = calendars_[node.instrument_id >> 24];
  return calendar ? calendar->At(ts, ms) : ClockInterval(ts, ms);
}

Slot* Aggregator::FindOrInsert(Node& node, BarBasis basis, Flow& flow, std::size_t interval, std::uint64_t ts) {
  SlotRing& slots = flow.series[interval].slots;
  if (Slot* found = slots.Find(ts)) return found;
  const Interval bounds = IntervalOf(node, interval, ts);
  Slot evicted;
  bool has_evicted;
  Slot* slot = slots.Insert(bounds.start, bounds.end, &evicted, &has_evicted);
  if (slot == nullptr) return nullptr;
  const FlowState& state = flow.state;
  const std::uint32_t holes = std::min(state.hole_count, kHolesMax);
  for (std::uint32_t h = 0; h < holes; ++h) {
    if (state.holes[h].from < slot->end && state.holes[h].to >= slot->start) slot->AddHole(state.holes[h].count);
  }
  return slot;
}

Flow& Aggregator::FlowOf(Node& node, BarBasis basis) {
  std::unique_ptr<Flow>& flow = node.flows[static_cast<std::size_t>(basis)];
  if (flow == nullptr) {
    flow = std::make_unique<Flow>();
    flow->series.resize(options_.intervals_ms.size());
    if (basis == BarBasis::kBar) flow->parts = std::make_unique<SlotRing>();
  }
  return *flow;
}

Node* Aggregator::FindNode(std::uint32_t instrument_id, std::uint8_t source, bool make) {
  const std::uint64_t key = (static_cast<std::uint64_t>(instrument_id) << 8) | source;
  if (key == newest_key_) return newest_node_;
  auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    if (!make || nodes_.size() >= options_.nodes_max) return nullptr;
    auto node = std::make_unique<Node>();
    node->instrument_id = instrument_id;
    node->source = source;
    found = by_key_.emplace(key, static_cast<std::uint32_t>(nodes_.size())).first;
    nodes_.push_back(std::move(node));
  }
  newest_key_ = key;
  newest_node_ = nodes_[found->second].get();
  return newest_node_;
}

}  // namespace tw::bars
