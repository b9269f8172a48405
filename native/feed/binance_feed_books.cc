#include "feed/binance_feed_books.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tw::feed {

using decode::BinanceDepth;
using decode::LevelText;

namespace {

// Spot has an event time alone; futures have the transaction's as well.
std::uint64_t TimeOf(const BinanceDepth& depth) {
  std::uint64_t ns = 0;
  return decode::UnixToNs(depth.time != 0 ? depth.time : depth.event_time, &ns) ? ns : 0;
}

}  // namespace

BinanceBooks::State& BinanceBooks::Of(FeedInstrument& instrument) {
  if (states_.size() <= instrument.ordinal) states_.resize(instrument.ordinal + 1);
  std::unique_ptr<State>& state = states_[instrument.ordinal];
  if (state == nullptr) state = std::make_unique<State>();
  return *state;
}

bool BinanceBooks::Scale(FeedInstrument& instrument, State& state, std::span<const LevelText> bids,
                         std::span<const LevelText> asks, std::uint64_t ts_event) {
  const int price_exponent = instrument.instrument->price_exponent, size_exponent = instrument.instrument->size_exponent;
  changes_.clear();
  for (const auto& [side, levels] : {std::pair{BookSide::kBid, bids}, std::pair{BookSide::kAsk, asks}}) {
    for (const LevelText& text : levels) {
      BookChange change{side, {}};
      const bool fits = decode::ParseScaledText(text.price, price_exponent, &change.level.price) &&
                        decode::ParseScaledText(text.size, size_exponent, &change.level.size);
      if (fits && change.level.size >= 0) [[likely]] {
        changes_.push_back(change);
        continue;
      }
      Decimal price, size;
      if (ParseDecimal(text.price, &price) && ParseDecimal(text.size, &size) && size.mantissa >= 0) {
        // No snapshot mends this: the book stays out until the next connection.
        output_.Lost(instrument, ts_event);
        output_.Forget(state.slot);
        state.sync = Sync::kBroken;
        state.diffs.clear();
        state.changes.clear();
      } else {
        session_->Count(Reason::kBadNumber);
        if (state.sync == Sync::kSynced) Quarantine(instrument, state, GapCause::kUnknown, state.last_id, 0);
      }
      return false;
    }
  }
  return true;
}

bool BinanceBooks::Follows(const Diff& diff, std::uint64_t last_id) {
  return diff.has_previous_id ? diff.previous_id <= last_id : diff.first_id <= last_id + 1;
}
bool BinanceBooks::IsOld(const Diff& diff, std::uint64_t last_id) { return diff.last_id <= last_id; }

void BinanceBooks::Ask(State& state) {
  if (state.asked || requests_.size() >= kRequestsMax) return;
  state.asked = true;
  requests_.push_back({FeedRequest::Kind::kSnapshot, state.venue_symbol});
}

void BinanceBooks::Wait(State& state, const Diff& diff, std::span<const BookChange> changes) {
  const bool joined = state.diffs.empty() || Follows(diff, state.diffs.back().last_id);
  if (!joined || state.diffs.size() >= kDiffsMax || state.changes.size() + changes.size() > kChangesMax) {
    state.diffs.clear();
    state.changes.clear();
  }
  state.diffs.push_back(diff);
  state.changes.insert(state.changes.end(), changes.begin(), changes.end());
  Ask(state);
}

void BinanceBooks::Apply(State& state, const Diff& diff, std::span<const BookChange> changes) {
  applied_.clear();
  for (const BookChange& change : changes) {
    if (state.slot.book.Set(change)) applied_.push_back(change);
  }
  state.last_id = diff.last_id;
}

void BinanceBooks::Quarantine(FeedInstrument& instrument, State& state, GapCause cause, std::uint64_t from, std::uint64_t to) {
  output_.Quarantine(instrument, state.slot, cause, from, to);
  state.slot.book.Clear();
  state.sync = Sync::kWaiting;
  state.asked = false;
  Ask(state);
}

void BinanceBooks::OnDiff(FeedInstrument& instrument, const BinanceDepth& depth, std::span<const LevelText> bids,
                          std::span<const LevelText> asks) {
  State& state = Of(instrument);
  if (state.sync == Sync::kBroken) return;
  if (state.venue_symbol.empty()) state.venue_symbol = depth.symbol;
  const std::uint64_t ts_event = TimeOf(depth);
  Diff diff{depth.first_id, depth.last_id, depth.previous_id, ts_event, depth.has_previous_id, 0};
  if (diff.first_id > diff.last_id || (diff.has_previous_id && diff.previous_id > diff.last_id))
    return session_->Count(Reason::kSequence);
  if (state.sync == Sync::kSynced && IsOld(diff, state.last_id)) return;
  if (!Scale(instrument, state, bids, asks, ts_event)) return;
  diff.changes = static_cast<std::uint32_t>(changes_.size());
  if (state.sync == Sync::kSynced && !Follows(diff, state.last_id)) {
    const std::uint64_t to = diff.has_previous_id ? diff.previous_id : diff.first_id - 1;
    Quarantine(instrument, state, GapCause::kVenueSequence, state.last_id + 1, to);
  }
  if (state.sync != Sync::kSynced) {
    state.sync = Sync::kWaiting;
    return Wait(state, diff, changes_);
  }
  Apply(state, diff, changes_);
  // A book that the venue's own prices contradict publishes nothing.
  if (CheckBest(instrument, state)) output_.Update(instrument, state.slot, ts_event, state.last_id, applied_);
}

void BinanceBooks::OnSnapshot(FeedInstrument& instrument, const BinanceDepth& depth, std::span<const LevelText> bids,
                              std::span<const LevelText> asks) {
  State& state = Of(instrument);
  // A book in order has no use for an older image of itself.
  if (state.sync == Sync::kSynced || state.sync == Sync::kBroken) return;
  std::uint64_t ts_event = TimeOf(depth);
  state.asked = false;
  if (!Scale(instrument, state, bids, asks, ts_event)) {
    if (state.sync == Sync::kWaiting) Ask(state);
    return;
  }
  for (const BookSide side : {BookSide::kBid, BookSide::kAsk}) {
    levels_.clear();
    for (const BookChange& change : changes_) {
      if (change.side == side) levels_.push_back(change.level);
    }
    (side == BookSide::kBid ? state.slot.book.bids : state.slot.book.asks).Load(levels_);
  }
  state.last_id = depth.last_id;
  std::size_t at = 0;
  bool right = true;
  for (const Diff& diff : state.diffs) {
    const std::span<const BookChange> changes(state.changes.data() + at, diff.changes);
    at += diff.changes;
    if (IsOld(diff, state.last_id)) continue;
    if (!Follows(diff, state.last_id)) {  // Older than what waits: another one is needed.
      state.slot.book.Clear();
      return Ask(state);
    }
    Apply(state, diff, changes);
    if (diff.ts_event != 0) ts_event = diff.ts_event;
    right = CheckBest(instrument, state);
    if (!right) break;
  }
  state.diffs.clear();
  state.changes.clear();
  if (!right) return;
  state.sync = Sync::kSynced;
  output_.Snapshot(instrument, state.slot, ts_event, state.last_id);
}

void BinanceBooks::OnPartial(FeedInstrument& instrument, const BinanceDepth& depth, std::span<const LevelText> bids,
                             std::span<const LevelText> asks) {
  State& state = Of(instrument);
  if (state.sync != Sync::kIdle || depth.last_id < state.last_id) return;
  if (bids.size() > kPartialMax || asks.size() > kPartialMax) return session_->Count(Reason::kBadLength);
  if (!Scale(instrument, state, bids, asks, TimeOf(depth))) return;
  // The update from the image before to this one: levels that left it are gone.
  Book book;
  for (const BookChange& change : changes_) book.Set(change);
  applied_.clear();
  for (const auto& [side, before, after] : {std::tuple{BookSide::kBid, &state.slot.book.bids, &book.bids},
                                            std::tuple{BookSide::kAsk, &state.slot.book.asks, &book.asks}}) {
    levels_.clear();
    for (std::size_t i = 0; i < before->size(); ++i) levels_.push_back({(*before)[i].price, 0});
    for (const BookLevel& gone : levels_) {
      bool stays = false;
      for (std::size_t i = 0; i < after->size(); ++i) stays |= (*after)[i].price == gone.price;
      if (!stays && before->Set(gone.price, 0)) applied_.push_back({side, gone});
    }
  }
  for (const BookChange& change : changes_) {
    if (state.slot.book.Set(change)) applied_.push_back(change);
  }
  state.last_id = depth.last_id;
  output_.Update(instrument, state.slot, TimeOf(depth), depth.last_id, applied_);
}

bool BinanceBooks::CheckBest(FeedInstrument& instrument, State& state) {
  while (state.tickers_head < state.tickers.size() && state.tickers[state.tickers_head].update_id < state.last_id)
    ++state.tickers_head;
  if (state.tickers_head == state.tickers.size()) {
    state.tickers.clear();
    state.tickers_head = 0;
    return true;
  }
  const Best& best = state.tickers[state.tickers_head];
  if (best.update_id != state.last_id) return true;
  const Book& book = state.slot.book;
  const BookLevel bid = book.bids.size() == 0 ? BookLevel{} : book.bids[0];
  const BookLevel ask = book.asks.size() == 0 ? BookLevel{} : book.asks[0];
  const bool equal = bid == best.bid && ask == best.ask;
  ++state.tickers_head;
  output_.Check(equal);
  if (!equal) Quarantine(instrument, state, GapCause::kChecksum, state.last_id, state.last_id);
  return equal;
}

void BinanceBooks::OnBest(FeedInstrument& instrument, std::uint64_t update_id, const Quote& quote) {
  if (states_.size() <= instrument.ordinal || states_[instrument.ordinal] == nullptr) return;
  State& state = *states_[instrument.ordinal];
  if (state.sync == Sync::kIdle || state.sync == Sync::kBroken) return;
  if (!state.tickers.empty() && update_id <= state.tickers.back().update_id) return;
  if (state.tickers_head > kTickersMax || state.tickers.size() >= kTickersMax) {
    const std::size_t drop = std::max<std::size_t>(state.tickers_head, kTickersMax / 2);
    state.tickers.erase(state.tickers.begin(), state.tickers.begin() + static_cast<std::ptrdiff_t>(drop));
    state.tickers_head = 0;
  }
  const auto level = [](std::int64_t price, std::int64_t size) {
    return price == kNoPrice ? BookLevel{} : BookLevel{price, size};
  };
  state.tickers.push_back({update_id, level(quote.bid_price, quote.bid_size), level(quote.ask_price, quote.ask_size)});
  if (state.sync == Sync::kSynced) CheckBest(instrument, state);
}

FeedInstrument* BinanceBooks::OnlyWaiting() {
  FeedInstrument* only = nullptr;
  std::size_t known = 0;
  for (FeedInstrument& instrument : session_->instruments()) {
    if (states_.size() <= instrument.ordinal || states_[instrument.ordinal] == nullptr) continue;
    const Sync sync = states_[instrument.ordinal]->sync;
    known += sync == Sync::kIdle ? 0 : 1;
    if (sync != Sync::kWaiting) continue;
    if (only != nullptr) return nullptr;
    only = &instrument;
  }
  if (only == nullptr && known == 0 && session_->instruments().size() == 1) return &session_->instruments().front();
  return only;
}

void BinanceBooks::OnReconnect() {
  for (const std::unique_ptr<State>& state : states_) {
    if (state == nullptr) continue;
    output_.Forget(state->slot);
    state->sync = Sync::kIdle;
    state->asked = false;
    state->last_id = 0;
    state->diffs.clear();
    state->changes.clear();
    state->tickers.clear();
    state->tickers_head = 0;
  }
}

std::vector<FeedRequest> BinanceBooks::TakeRequests() { return std::exchange(requests_, {}); }

}  // namespace tw::feed
