#include "feed/book_output.h"

#include <algorithm>

namespace tw::feed {

RecordType BookOutput::DepthType() const {
  switch (options_.depth_levels) {
    case 5: return RecordType::kDepth5;
    case 10: return RecordType::kDepth10;
    case 20: return RecordType::kDepth20;
    default: return RecordType::kNone;
  }
}

template <std::size_t N>
void BookOutput::EmitDepth(FeedInstrument& instrument, const BookSlot& slot, RecordType type, std::uint64_t ts_event,
                           std::uint16_t flags) {
  Depth<N> depth{};
  depth.header.ts_event = ts_event;
  depth.header.flags = flags;
  for (std::size_t i = 0; i < N; ++i) {
    depth.bids[i].price = slot.image_bids[i].size == 0 ? kNoPrice : slot.image_bids[i].price;
    depth.bids[i].size = slot.image_bids[i].size;
    depth.asks[i].price = slot.image_asks[i].size == 0 ? kNoPrice : slot.image_asks[i].price;
    depth.asks[i].size = slot.image_asks[i].size;
  }
  session_->Emit(depth, type, instrument);
}

void BookOutput::EmitImage(FeedInstrument& instrument, BookSlot& slot, std::uint64_t ts_event, std::uint16_t flags) {
  const RecordType type = DepthType();
  switch (type) {
    case RecordType::kDepth5: return EmitDepth<5>(instrument, slot, type, ts_event, flags);
    case RecordType::kDepth10: return EmitDepth<10>(instrument, slot, type, ts_event, flags);
    case RecordType::kDepth20: return EmitDepth<20>(instrument, slot, type, ts_event, flags);
    default: return;
  }
}

void BookOutput::EmitLevel(FeedInstrument& instrument, const BookChange& change, LevelAction action, std::uint64_t ts_event,
                           std::uint64_t update_id, std::uint16_t flags) {
  Level level{};
  level.header.ts_event = ts_event;
  level.header.flags = flags;
  level.price = action == LevelAction::kClear ? kNoPrice : change.level.price;
  level.size = change.level.size;
  level.update_id = update_id;
  level.side = change.side;
  level.action = action;
  session_->Emit(level, RecordType::kLevel, instrument);
}

namespace {

// True: the top N are others than before.
bool TakeImage(BookSlot& slot, std::size_t n) {
  bool changed = false;
  const auto take = [&](const BookHalf& half, BookLevel* image) {
    for (std::size_t i = 0; i < n; ++i) {
      const BookLevel level = i < half.size() ? half[i] : BookLevel{};
      changed |= level != image[i];
      image[i] = level;
    }
  };
  take(slot.book.bids, slot.image_bids);
  take(slot.book.asks, slot.image_asks);
  return changed;
}

}  // namespace

void BookOutput::Snapshot(FeedInstrument& instrument, BookSlot& slot, std::uint64_t ts_event, std::uint64_t update_id) {
  if (slot.quarantined) --stats_.quarantined;
  if (slot.had_snapshot) ++stats_.resyncs;
  slot.quarantined = false;
  slot.had_snapshot = true;
  if (DepthType() != RecordType::kNone) {
    TakeImage(slot, options_.depth_levels);
    slot.has_image = true;
    EmitImage(instrument, slot, ts_event, kFlagSnapshot | kFlagLastOfUpdate);
  }
  if (!options_.book_levels) return;
  const std::size_t bids = slot.book.bids.size(), asks = slot.book.asks.size();
  EmitLevel(instrument, {}, LevelAction::kClear, ts_event, update_id,
            bids + asks == 0 ? kFlagSnapshot | kFlagLastOfUpdate : kFlagSnapshot);
  for (std::size_t i = 0; i < bids + asks; ++i) {
    const bool bid = i < bids;
    const BookChange change{bid ? BookSide::kBid : BookSide::kAsk, bid ? slot.book.bids[i] : slot.book.asks[i - bids]};
    EmitLevel(instrument, change, LevelAction::kSet, ts_event, update_id,
              i + 1 == bids + asks ? kFlagSnapshot | kFlagLastOfUpdate : kFlagSnapshot);
  }
}

void BookOutput::Update(FeedInstrument& instrument, BookSlot& slot, std::uint64_t ts_event, std::uint64_t update_id,
                        std::span<const BookChange> changes) {
  if (changes.empty()) return;
  if (DepthType() != RecordType::kNone && TakeImage(slot, options_.depth_levels)) {
    slot.has_image = true;
    EmitImage(instrument, slot, ts_event, kFlagLastOfUpdate);
  }
  if (!options_.book_levels) return;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    EmitLevel(instrument, changes[i], changes[i].level.size == 0 ? LevelAction::kDelete : LevelAction::kSet, ts_event, update_id,
              i + 1 == changes.size() ? std::uint16_t{kFlagLastOfUpdate} : std::uint16_t{0});
  }
}

void BookOutput::Quarantine(FeedInstrument& instrument, BookSlot& slot, GapCause cause, std::uint64_t venue_from,
                            std::uint64_t venue_to) {
  if (slot.quarantined) return;
  slot.quarantined = true;
  ++stats_.quarantined;
  session_->Count(cause == GapCause::kChecksum ? Reason::kChecksum : Reason::kSequence);
  if (slot.has_image) EmitImage(instrument, slot, 0, kFlagStale);
  slot.has_image = false;
  if (DepthType() != RecordType::kNone)
    session_->EmitVenueGap(instrument, DepthType(), cause, kUnknownCount, venue_from, venue_to);
  if (options_.book_levels) session_->EmitVenueGap(instrument, RecordType::kLevel, cause, kUnknownCount, venue_from, venue_to);
}

void BookOutput::Lost(FeedInstrument& instrument, std::uint64_t ts_event) {
  session_->Count(Reason::kOverflow);
  if (DepthType() != RecordType::kNone) session_->EmitLost(instrument, DepthType(), GapCause::kOverflow, ts_event);
  if (options_.book_levels) session_->EmitLost(instrument, RecordType::kLevel, GapCause::kOverflow, ts_event);
}

void BookOutput::Forget(BookSlot& slot) {
  if (slot.quarantined) --stats_.quarantined;
  slot.quarantined = slot.has_image = false;
  slot.book.Clear();
}

}  // namespace tw::feed
