// Kraken, WebSocket v2: trades and books. An instrument is known by its pair ("BTC/USD").
//
// Every book message carries a checksum over the ten best levels. A book that does not match is quarantined and asks for a new
// subscription; no other book notices. The pair's decimals, which the checksum needs, are learned from the numbers' text and,
// when a sender in between has dropped trailing zeros, from the snapshot's own checksum. A book is cut to the subscribed depth
// after each update, because the venue does not say what falls out of it.
#include <algorithm>
#include <utility>

#include "decode/kraken.h"
#include "feed/book_output.h"
#include "feed/kraken_feed_checksum.h"
#include "feed/trade_ids.h"
#include "feed/venue_feed.h"

namespace tw::feed {
namespace {

using decode::KrakenBook;
using decode::KrakenKind;
using decode::KrakenTrade;
using decode::LevelText;
using decode::ParseIsoTime;
using decode::ParseScaledText;

constexpr std::size_t kTextsMax = 64;
constexpr std::size_t kTextSizeMax = 4096;
constexpr int kPrecisionMax = 12;

int DecimalsOf(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) return 0;
  const std::size_t end = std::min(text.find_first_of("eE"), text.size());
  return static_cast<int>(std::min<std::size_t>(end - std::min(point + 1, end), 18));
}

class KrakenFeed : public VenueFeed {
 public:
  KrakenFeed(const VenueOptions& options, Session* session) : options_(options), session_(session), output_(options, session) {}

  void OnFrame(std::span<const std::uint8_t> frame, FrameKind, std::string_view) override {
    const KrakenKind kind = decoder_.Decode(frame);
    if (decoder_.fell_back()) session_->Count(Reason::kScannerFallback);
    switch (kind) {
      case KrakenKind::kBook: {
        std::span<const LevelText> levels = decoder_.levels();
        for (const KrakenBook& book : decoder_.books()) {
          OnBook(book, levels.first(book.bids), levels.subspan(book.bids, book.asks));
          levels = levels.subspan(book.bids + book.asks);
        }
        return;
      }
      case KrakenKind::kTrade:
        for (const KrakenTrade& trade : decoder_.trades()) OnTrade(trade);
        return;
      case KrakenKind::kHeartbeat: return session_->Count(Reason::kHeartbeat);
      case KrakenKind::kAnswer: OnAnswer(frame); [[fallthrough]];
      case KrakenKind::kStatus: return session_->Count(Reason::kTextMessage);
      case KrakenKind::kNone: return session_->Count(decoder_.reason());
    }
  }
  void OnReconnect() override {
    for (State& state : states_) {
      state.ids.OnReconnect();
      state.synced = state.broken = state.asked = false;
      if (state.slot != nullptr) output_.Forget(*state.slot);
    }
  }
  std::vector<FeedRequest> TakeRequests() override { return std::exchange(requests_, {}); }
  BookStats book_stats() const override { return output_.stats(); }
  std::vector<std::string> TakeTexts() override { return std::exchange(texts_, {}); }

 private:
  struct State {
    TradeIds ids;
    std::unique_ptr<BookSlot> slot;  // Made by the first book message.
    KrakenPrecision precision;
    std::size_t depth = 0;  // Subscribed; 0: not told yet.
    bool synced = false;
    bool broken = false;  // A level does not fit the exponents: out until the next connection.
    bool asked = false;
  };

  State& Of(const FeedInstrument& instrument) {
    if (states_.size() <= instrument.ordinal) states_.resize(instrument.ordinal + 1);
    return states_[instrument.ordinal];
  }
  bool Scaled(std::string_view text, int exponent, std::int64_t* out, bool* fits) {
    if (ParseScaledText(text, exponent, out)) [[likely]]
      return true;
    Decimal value;
    if (!ParseDecimal(text, &value)) {
      session_->Count(Reason::kBadNumber);
      return false;
    }
    *fits = false;
    return true;
  }

  void OnAnswer(std::span<const std::uint8_t> frame) {
    const decode::KrakenAnswer& answer = decoder_.answer();
    if (!answer.success) {
      if (texts_.size() < kTextsMax) {
        texts_.emplace_back(reinterpret_cast<const char*>(frame.data()), std::min(frame.size(), kTextSizeMax));
      }
      return;
    }
    if (answer.channel != "book" || answer.method != "subscribe" || answer.depth == 0 || answer.symbol.empty()) return;
    if (FeedInstrument* instrument = session_->FindSymbol(answer.symbol)) {
      Of(*instrument).depth = static_cast<std::size_t>(std::clamp<std::uint64_t>(answer.depth, 10, 1000));
    }
  }

  void OnTrade(const KrakenTrade& t) {
    if (!options_.trades) return;
    FeedInstrument* instrument = session_->FindSymbol(t.symbol);
    if (instrument == nullptr) return;
    State& state = Of(*instrument);
    if (decoder_.snapshot()) {  // The last trades before the subscription: not live.
      session_->Count(Reason::kFiltered);
      return state.ids.Echo(session_, *instrument, t.trade_id);
    }
    Trade trade{};
    if (!ParseIsoTime(t.time, &trade.header.ts_event)) return session_->Count(Reason::kBadTime);
    if (t.side != "buy" && t.side != "sell") return session_->Count(Reason::kBadEnum);
    trade.side = t.side == "buy" ? Side::kBuy : Side::kSell;  // The taker's.
    trade.trade_id = t.trade_id;
    trade.fills = 1;
    bool fits = true;
    if (!Scaled(t.price, instrument->instrument->price_exponent, &trade.price, &fits) ||
        !Scaled(t.size, instrument->instrument->size_exponent, &trade.size, &fits)) {
      return;
    }
    if (trade.price < 0 || trade.size < 0) return session_->Count(Reason::kBadNumber);
    if (!state.ids.Accept(session_, *instrument, t.trade_id, trade.header.ts_event)) return;
    if (!fits) {
      session_->Count(Reason::kOverflow);
      return session_->EmitLost(*instrument, RecordType::kTrade, GapCause::kOverflow, trade.header.ts_event);
    }
    session_->Emit(trade, RecordType::kTrade, *instrument);
  }

  // The texts as integers in changes_, the decimals seen in the state. False: the book is out, counted.
  bool Scale(FeedInstrument& instrument, State& state, std::span<const LevelText> bids, std::span<const LevelText> asks,
             std::uint64_t ts_event) {
    const int price_exponent = instrument.instrument->price_exponent, size_exponent = instrument.instrument->size_exponent;
    changes_.clear();
    for (const auto& [side, levels] : {std::pair{BookSide::kBid, bids}, std::pair{BookSide::kAsk, asks}}) {
      for (const LevelText& text : levels) {
        BookChange change{side, {}};
        bool fits = true;
        if (!Scaled(text.price, price_exponent, &change.level.price, &fits) ||
            !Scaled(text.size, size_exponent, &change.level.size, &fits)) {
          Quarantine(instrument, state, GapCause::kUnknown);
          return false;
        }
        if (!fits) {
          output_.Lost(instrument, ts_event);
          output_.Forget(*state.slot);
          state.synced = false;
          state.broken = true;
          return false;
        }
        if (change.level.price < 0 || change.level.size < 0) {
          session_->Count(Reason::kBadNumber);
          Quarantine(instrument, state, GapCause::kUnknown);
          return false;
        }
        state.precision.price = std::max(state.precision.price, DecimalsOf(text.price));
        state.precision.size = std::max(state.precision.size, DecimalsOf(text.size));
        changes_.push_back(change);
      }
    }
    return true;
  }

  bool Matches(const FeedInstrument& instrument, const State& state, KrakenPrecision precision, std::uint32_t checksum) const {
    std::uint32_t ours = 0;
    return KrakenChecksum(state.slot->book, instrument.instrument->price_exponent, instrument.instrument->size_exponent,
                          precision, &ours) &&
           ours == checksum;
  }
  // A snapshot whose numbers lost their trailing zeros tells the decimals by its checksum.
  bool Learn(const FeedInstrument& instrument, State* state, std::uint32_t checksum) const {
    for (int price = state->precision.price; price <= kPrecisionMax; ++price) {
      for (int size = state->precision.size; size <= kPrecisionMax; ++size) {
        if (!Matches(instrument, *state, {price, size}, checksum)) continue;
        state->precision = {price, size};
        return true;
      }
    }
    return false;
  }

  void Quarantine(FeedInstrument& instrument, State& state, GapCause cause) {
    if (state.synced) output_.Quarantine(instrument, *state.slot, cause, 0, 0);
    state.synced = false;
    state.slot->book.Clear();
    if (state.asked || requests_.size() >= 10'000) return;
    state.asked = true;
    requests_.push_back({FeedRequest::Kind::kResubscribe, std::string(symbol_)});
  }

  void OnBook(const KrakenBook& message, std::span<const LevelText> bids, std::span<const LevelText> asks) {
    FeedInstrument* instrument = session_->FindSymbol(message.symbol);
    if (instrument == nullptr) return;
    State& state = Of(*instrument);
    if (state.broken) return;
    if (state.slot == nullptr) state.slot = std::make_unique<BookSlot>();
    symbol_ = message.symbol;
    std::uint64_t ts_event = 0;
    if (!message.time.empty() && !ParseIsoTime(message.time, &ts_event)) session_->Count(Reason::kBadTime);
    if (decoder_.snapshot()) return OnSnapshot(*instrument, state, message, bids, asks, ts_event);
    if (!state.synced) return Quarantine(*instrument, state, GapCause::kUnknown);
    if (!Scale(*instrument, state, bids, asks, ts_event)) return;
    Book& book = state.slot->book;
    std::size_t applied = 0;
    for (const BookChange& change : changes_) {
      if (book.Set(change)) changes_[applied++] = change;
    }
    changes_.resize(applied);
    Cut(BookSide::kBid, &book.bids, state.depth);
    Cut(BookSide::kAsk, &book.asks, state.depth);
    if (message.has_checksum) {
      const bool equal = Matches(*instrument, state, state.precision, message.checksum);
      output_.Check(equal);
      if (!equal) return Quarantine(*instrument, state, GapCause::kChecksum);
    }
    output_.Update(*instrument, *state.slot, ts_event, 0, changes_);
  }

  // What falls out of the subscribed depth is a change like any other.
  void Cut(BookSide side, BookHalf* half, std::size_t depth) {
    for (std::size_t i = depth; i < half->size(); ++i) changes_.push_back({side, {(*half)[i].price, 0}});
    half->KeepBest(depth);
  }

  void OnSnapshot(FeedInstrument& instrument, State& state, const KrakenBook& message, std::span<const LevelText> bids,
                  std::span<const LevelText> asks, std::uint64_t ts_event) {
    state.asked = false;
    state.precision = {};
    if (!Scale(instrument, state, bids, asks, ts_event)) return;
    for (const BookSide side : {BookSide::kBid, BookSide::kAsk}) {
      levels_.clear();
      for (const BookChange& change : changes_) {
        if (change.side == side) levels_.push_back(change.level);
      }
      (side == BookSide::kBid ? state.slot->book.bids : state.slot->book.asks).Load(levels_);
    }
    if (state.depth == 0) {  // The subscription was not seen: the smallest depth the venue offers that holds this.
      const std::size_t most = std::max(state.slot->book.bids.size(), state.slot->book.asks.size());
      for (std::size_t depth : {1000, 500, 100, 25, 10}) state.depth = most <= depth || state.depth == 0 ? depth : state.depth;
    }
    state.slot->book.bids.KeepBest(state.depth);
    state.slot->book.asks.KeepBest(state.depth);
    if (message.has_checksum) {
      const bool equal =
          Matches(instrument, state, state.precision, message.checksum) || Learn(instrument, &state, message.checksum);
      output_.Check(equal);
      if (!equal) {
        session_->Count(Reason::kChecksum);
        return Quarantine(instrument, state, GapCause::kChecksum);
      }
    }
    state.synced = true;
    output_.Snapshot(instrument, *state.slot, ts_event, 0);
  }

  VenueOptions options_;
  Session* session_;
  BookOutput output_;
  decode::KrakenDecoder decoder_;
  std::vector<State> states_;
  std::vector<BookLevel> levels_;
  std::vector<BookChange> changes_;
  std::vector<FeedRequest> requests_;
  std::vector<std::string> texts_;
  std::string_view symbol_;  // Of the book message at hand.
};

}  // namespace

std::unique_ptr<VenueFeed> MakeKrakenFeed(const VenueOptions& options, Session* session) {
  return std::make_unique<KrakenFeed>(options, session);
}

}  // namespace tw::feed
