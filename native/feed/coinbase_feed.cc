// Coinbase Exchange: matches, tickers, quotes from tickers, level2 books. An instrument is known by its product id.
//
// A match names the maker's side; a trade has the aggressor's. `last_match` is an echo at subscribe, no trade; its number says
// what a reconnect missed. Trade ids of a product rise by one; `sequence` counts the full channel, which is not read, so that a
// jump in it means nothing here. The level2 channel has no numbers: a book is right until the connection ends.
#include <algorithm>
#include <utility>

#include "decode/coinbase.h"
#include "feed/book_output.h"
#include "feed/scale.h"
#include "feed/trade_ids.h"
#include "feed/venue_feed.h"

namespace tw::feed {
namespace {

using decode::CoinbaseKind;
using decode::LevelText;
using decode::ParseIsoTime;
using decode::ParseScaledText;

constexpr std::size_t kTextsMax = 64;
constexpr std::size_t kTextSizeMax = 4096;

class CoinbaseFeed : public VenueFeed {
 public:
  CoinbaseFeed(const VenueOptions& options, Session* session) : options_(options), session_(session), output_(options, session) {}

  void OnFrame(std::span<const std::uint8_t> frame, FrameKind, std::string_view) override {
    const CoinbaseKind kind = decoder_.Decode(frame);
    if (decoder_.fell_back()) session_->Count(Reason::kScannerFallback);
    switch (kind) {
      case CoinbaseKind::kMatch: return OnMatch(decoder_.match());
      case CoinbaseKind::kLastMatch: return OnLastMatch(decoder_.match());
      case CoinbaseKind::kTicker: return OnTicker(decoder_.ticker());
      case CoinbaseKind::kHeartbeat: return session_->Count(Reason::kHeartbeat);
      case CoinbaseKind::kSnapshot: return OnSnapshot();
      case CoinbaseKind::kL2Update: return OnL2Update();
      case CoinbaseKind::kError:
        if (texts_.size() < kTextsMax) {
          texts_.emplace_back(reinterpret_cast<const char*>(frame.data()), std::min(frame.size(), kTextSizeMax));
        }
        [[fallthrough]];
      case CoinbaseKind::kSubscriptions: return session_->Count(Reason::kTextMessage);
      case CoinbaseKind::kNone: return session_->Count(decoder_.reason());
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
    bool synced = false;
    bool broken = false;  // A level does not fit the exponents: out until the next connection.
    bool asked = false;
  };

  State& Of(const FeedInstrument& instrument) {
    if (states_.size() <= instrument.ordinal) states_.resize(instrument.ordinal + 1);
    return states_[instrument.ordinal];
  }
  // Not a decimal: false, counted. Does not fit: fits is false.
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

  void OnMatch(const decode::CoinbaseMatch& m) {
    if (!options_.trades) return;
    FeedInstrument* instrument = session_->FindSymbol(m.product_id);
    if (instrument == nullptr) return;
    Trade trade{};
    if (!ParseIsoTime(m.time, &trade.header.ts_event)) return session_->Count(Reason::kBadTime);
    if (m.side != "buy" && m.side != "sell") return session_->Count(Reason::kBadEnum);
    trade.side = m.side == "buy" ? Side::kSell : Side::kBuy;
    trade.trade_id = m.trade_id;
    trade.fills = 1;
    bool fits = true;
    if (!Scaled(m.price, instrument->instrument->price_exponent, &trade.price, &fits) ||
        !Scaled(m.size, instrument->instrument->size_exponent, &trade.size, &fits)) {
      return;
    }
    if (trade.price < 0 || trade.size < 0) return session_->Count(Reason::kBadNumber);
    if (!Of(*instrument).ids.Accept(session_, *instrument, m.trade_id, trade.header.ts_event)) return;
    if (!fits) {
      session_->Count(Reason::kOverflow);
      return session_->EmitLost(*instrument, RecordType::kTrade, GapCause::kOverflow, trade.header.ts_event);
    }
    session_->Emit(trade, RecordType::kTrade, *instrument);
  }

  void OnLastMatch(const decode::CoinbaseMatch& m) {
    session_->Count(Reason::kFiltered);
    if (!options_.trades) return;
    if (FeedInstrument* instrument = session_->FindSymbol(m.product_id))
      Of(*instrument).ids.Echo(session_, *instrument, m.trade_id);
  }

  // The day's figures of a ticker are of a rolling window, not since the day began: they have no field here.
  void OnTicker(const decode::CoinbaseTicker& t) {
    FeedInstrument* instrument = session_->FindSymbol(t.product_id);
    if (instrument == nullptr) return;
    const int price_exponent = instrument->instrument->price_exponent, size_exponent = instrument->instrument->size_exponent;
    std::uint64_t ts_event = 0;
    if (!t.time.empty() && !ParseIsoTime(t.time, &ts_event)) return session_->Count(Reason::kBadTime);
    bool ticker_fits = true, quote_fits = true;
    Ticker ticker = EmptyTicker();
    ticker.header.ts_event = ticker.ts_last_trade = ts_event;
    if (!Scaled(t.price, price_exponent, &ticker.last_price, &ticker_fits)) return;
    if (!t.last_size.empty() && !Scaled(t.last_size, size_exponent, &ticker.last_size, &ticker_fits)) return;
    Quote quote{};
    quote.header.ts_event = ts_event;
    quote.bid_price = quote.ask_price = kNoPrice;
    quote.bid_size = quote.ask_size = kNoSize;
    if (!t.best_bid.empty() && !Scaled(t.best_bid, price_exponent, &quote.bid_price, &quote_fits)) return;
    if (!t.best_ask.empty() && !Scaled(t.best_ask, price_exponent, &quote.ask_price, &quote_fits)) return;
    if (!t.best_bid_size.empty() && !Scaled(t.best_bid_size, size_exponent, &quote.bid_size, &quote_fits)) return;
    if (!t.best_ask_size.empty() && !Scaled(t.best_ask_size, size_exponent, &quote.ask_size, &quote_fits)) return;
    if (ticker_fits) {
      session_->Emit(ticker, RecordType::kTicker, *instrument);
    } else {
      session_->Count(Reason::kOverflow);
      session_->EmitLost(*instrument, RecordType::kTicker, GapCause::kOverflow, ts_event);
    }
    if (!options_.quotes || (t.best_bid.empty() && t.best_ask.empty())) return;
    if (quote.bid_price == 0) quote.bid_price = kNoPrice;
    if (quote.ask_price == 0) quote.ask_price = kNoPrice;
    if (quote_fits) {
      session_->Emit(quote, RecordType::kQuote, *instrument);
    } else {
      session_->Count(Reason::kOverflow);
      session_->EmitLost(*instrument, RecordType::kQuote, GapCause::kOverflow, ts_event);
    }
  }

  // One level text to one change. False: the book is out, counted.
  bool Change(FeedInstrument& instrument, State& state, BookSide side, const LevelText& text, std::uint64_t ts_event,
              BookChange* out) {
    out->side = side;
    bool fits = true;
    const bool numbers = Scaled(text.price, instrument.instrument->price_exponent, &out->level.price, &fits) &&
                         Scaled(text.size, instrument.instrument->size_exponent, &out->level.size, &fits);
    if (numbers && fits && out->level.size >= 0) [[likely]]
      return true;
    if (numbers && !fits) {
      output_.Lost(instrument, ts_event);
      output_.Forget(*state.slot);
      state.broken = true;
    } else {
      if (numbers) session_->Count(Reason::kBadNumber);
      Resubscribe(instrument, state);
    }
    state.synced = false;
    return false;
  }

  void Resubscribe(FeedInstrument& instrument, State& state) {
    if (state.synced) output_.Quarantine(instrument, *state.slot, GapCause::kUnknown, 0, 0);
    state.slot->book.Clear();
    if (state.asked || requests_.size() >= 10'000) return;
    state.asked = true;
    requests_.push_back({FeedRequest::Kind::kResubscribe, std::string(decoder_.level2().product_id)});
  }

  BookSlot& SlotOf(State& state) {
    if (state.slot == nullptr) state.slot = std::make_unique<BookSlot>();
    return *state.slot;
  }

  void OnSnapshot() {
    FeedInstrument* instrument = session_->FindSymbol(decoder_.level2().product_id);
    if (instrument == nullptr) return;
    State& state = Of(*instrument);
    if (state.broken) return;
    BookSlot& slot = SlotOf(state);
    std::uint64_t ts_event = 0;
    if (!decoder_.level2().time.empty() && !ParseIsoTime(decoder_.level2().time, &ts_event)) session_->Count(Reason::kBadTime);
    state.asked = false;
    for (const BookSide side : {BookSide::kBid, BookSide::kAsk}) {
      levels_.clear();
      for (const LevelText& text : side == BookSide::kBid ? decoder_.bids() : decoder_.asks()) {
        BookChange change;
        if (!Change(*instrument, state, side, text, ts_event, &change)) return;
        levels_.push_back(change.level);
      }
      (side == BookSide::kBid ? slot.book.bids : slot.book.asks).Load(levels_);
    }
    state.synced = true;
    output_.Snapshot(*instrument, slot, ts_event, 0);
  }

  void OnL2Update() {
    FeedInstrument* instrument = session_->FindSymbol(decoder_.level2().product_id);
    if (instrument == nullptr) return;
    State& state = Of(*instrument);
    if (state.broken) return;
    BookSlot& slot = SlotOf(state);
    if (!state.synced) return Resubscribe(*instrument, state);
    std::uint64_t ts_event = 0;
    if (!ParseIsoTime(decoder_.level2().time, &ts_event)) session_->Count(Reason::kBadTime);
    changes_.clear();
    for (const decode::CoinbaseChange& text : decoder_.changes()) {
      BookChange change;
      if (!Change(*instrument, state, text.buy ? BookSide::kBid : BookSide::kAsk, text.level, ts_event, &change)) return;
      if (slot.book.Set(change)) changes_.push_back(change);
    }
    output_.Update(*instrument, slot, ts_event, 0, changes_);
  }

  VenueOptions options_;
  Session* session_;
  BookOutput output_;
  decode::CoinbaseDecoder decoder_;
  std::vector<State> states_;
  std::vector<BookLevel> levels_;
  std::vector<BookChange> changes_;
  std::vector<FeedRequest> requests_;
  std::vector<std::string> texts_;
};

}  // namespace

std::unique_ptr<VenueFeed> MakeCoinbaseFeed(const VenueOptions& options, Session* session) {
  return std::make_unique<CoinbaseFeed>(options, session);
}

}  // namespace tw::feed
