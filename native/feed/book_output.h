// Records from books: the top-N image when it changed, level records, and what stands in the log when a book is not to be
// trusted: the last image once more flagged stale, a gap record per stream, then, after the resync, a snapshot.
//
// Threads: the feed's. Bound: one slot per instrument.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "feed/book.h"
#include "feed/venue_feed.h"

namespace tw::feed {

struct BookSlot {
  Book book;
  bool quarantined = false;
  bool had_snapshot = false;
  bool has_image = false;
  BookLevel image_bids[20], image_asks[20];  // As last emitted; unused levels have size 0.
};

class BookOutput {
 public:
  BookOutput(const VenueOptions& options, Session* session) : options_(options), session_(session) {}

  // The book was replaced.
  void Snapshot(FeedInstrument& instrument, BookSlot& slot, std::uint64_t ts_event, std::uint64_t update_id);
  // These changes, which made a difference, were applied as one update.
  void Update(FeedInstrument& instrument, BookSlot& slot, std::uint64_t ts_event, std::uint64_t update_id,
              std::span<const BookChange> changes);
  // The book is wrong, or will be. venue_from and venue_to are the venue's numbers around the hole, 0 without.
  void Quarantine(FeedInstrument& instrument, BookSlot& slot, GapCause cause, std::uint64_t venue_from, std::uint64_t venue_to);
  // A value does not fit the instrument's exponents: ours is the loss.
  void Lost(FeedInstrument& instrument, std::uint64_t ts_event);
  // Out of quarantine without a snapshot (a reconnect begins anew).
  void Forget(BookSlot& slot);

  void Check(bool equal) {
    ++stats_.checks;
    stats_.mismatches += equal ? 0 : 1;
  }
  const BookStats& stats() const { return stats_; }

 private:
  RecordType DepthType() const;
  void EmitImage(FeedInstrument& instrument, BookSlot& slot, std::uint64_t ts_event, std::uint16_t flags);
  template <std::size_t N>
  void EmitDepth(FeedInstrument& instrument, const BookSlot& slot, RecordType type, std::uint64_t ts_event, std::uint16_t flags);
  void EmitLevel(FeedInstrument& instrument, const BookChange& change, LevelAction action, std::uint64_t ts_event,
                 std::uint64_t update_id, std::uint16_t flags);

  VenueOptions options_;
  Session* session_;
  BookStats stats_;
};

}  // namespace tw::feed
