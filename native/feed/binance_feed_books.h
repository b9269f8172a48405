// Binance books: diffs wait until a REST snapshot bridges them, then follow each other by the venue's numbers. Spot numbers
// updates one by one (U = last u + 1); futures' numbers skip, each diff names the one before it (pu). A book that lost one, or
// that differs from the venue's own best bid and ask at the same update id, is quarantined and asks for a snapshot; no other
// book notices.
//
// Bounds: kDiffsMax diffs of kChangesMax changes wait per instrument, beyond that the oldest go, and the snapshot that would have
// bridged them is asked for again; kTickersMax best prices wait for their diff.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decode/binance.h"
#include "feed/book_output.h"

namespace tw::feed {

class BinanceBooks {
 public:
  BinanceBooks(const VenueOptions& options, Session* session) : session_(session), output_(options, session) {}

  void OnDiff(FeedInstrument& instrument, const decode::BinanceDepth& depth, std::span<const decode::LevelText> bids,
              std::span<const decode::LevelText> asks);
  void OnSnapshot(FeedInstrument& instrument, const decode::BinanceDepth& depth, std::span<const decode::LevelText> bids,
                  std::span<const decode::LevelText> asks);
  // A whole top of the book from a partial depth stream: an image, without memory.
  void OnPartial(FeedInstrument& instrument, const decode::BinanceDepth& depth, std::span<const decode::LevelText> bids,
                 std::span<const decode::LevelText> asks);
  void OnBest(FeedInstrument& instrument, std::uint64_t update_id, const Quote& quote);
  // The one instrument that waits for a snapshot; null: none or several.
  FeedInstrument* OnlyWaiting();
  void OnReconnect();
  std::vector<FeedRequest> TakeRequests();
  const BookStats& stats() const { return output_.stats(); }

 private:
  static constexpr std::size_t kDiffsMax = 2'000;
  static constexpr std::size_t kChangesMax = 100'000;
  static constexpr std::size_t kTickersMax = 4'096;
  static constexpr std::size_t kPartialMax = 100;
  static constexpr std::size_t kRequestsMax = 10'000;

  enum class Sync : std::uint8_t { kIdle, kWaiting, kSynced, kBroken };
  struct Diff {
    std::uint64_t first_id, last_id, previous_id, ts_event;
    bool has_previous_id;
    std::uint32_t changes;
  };
  struct Best {
    std::uint64_t update_id;
    BookLevel bid, ask;
  };
  struct State {
    BookSlot slot;
    Sync sync = Sync::kIdle;
    bool asked = false;
    std::uint64_t last_id = 0;
    std::string venue_symbol;
    std::vector<Diff> diffs;
    std::vector<BookChange> changes;  // Of all diffs, in turn.
    std::vector<Best> tickers;        // From tickers_head on, by rising update id.
    std::size_t tickers_head = 0;
  };

  State& Of(FeedInstrument& instrument);
  // The texts as integers in changes_. False: a value that is none or does not fit; the book is out, counted.
  bool Scale(FeedInstrument& instrument, State& state, std::span<const decode::LevelText> bids,
             std::span<const decode::LevelText> asks, std::uint64_t ts_event);
  static bool Follows(const Diff& diff, std::uint64_t last_id);
  static bool IsOld(const Diff& diff, std::uint64_t last_id);
  void Wait(State& state, const Diff& diff, std::span<const BookChange> changes);
  void Ask(State& state);
  void Apply(State& state, const Diff& diff, std::span<const BookChange> changes);
  void Quarantine(FeedInstrument& instrument, State& state, GapCause cause, std::uint64_t from, std::uint64_t to);
  bool CheckBest(FeedInstrument& instrument, State& state);

  Session* session_;
  BookOutput output_;
  std::vector<std::unique_ptr<State>> states_;
  std::vector<BookChange> changes_;  // Of the message at hand…
  std::vector<BookChange> applied_;  // …and those of them that made a difference.
  std::vector<BookLevel> levels_;
  std::vector<FeedRequest> requests_;
};

}  // namespace tw::feed
