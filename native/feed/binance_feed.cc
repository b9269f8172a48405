// Binance, spot, USD-M and COIN-M: trades, aggregated trades, best bid and ask, books, bars. An instrument is known by its
// symbol. Of trade and aggTrade for one instrument the first kind seen counts: both tell the same executions.
#include <algorithm>
#include <limits>
#include <utility>

#include "decode/binance.h"
#include "feed/binance_feed_books.h"
#include "feed/trade_ids.h"

namespace tw::feed {
namespace {

using decode::BinanceAggTrade;
using decode::BinanceBookTicker;
using decode::BinanceKind;
using decode::BinanceKline;
using decode::BinanceTrade;
using decode::ParseScaledText;
using decode::UnixToNs;

constexpr std::size_t kTextsMax = 64;
constexpr std::size_t kTextSizeMax = 4096;

// Bits of Trade::conditions: how a futures execution came about when not by a market order (X).
constexpr std::uint32_t kConditionInsuranceFund = 1u << 0;
constexpr std::uint32_t kConditionDeleveraging = 1u << 1;
constexpr std::uint32_t kConditionOther = 1u << 2;

// "1s", "3m", "4h", "1d", "1w"; a month has no length.
bool IntervalMs(std::string_view text, std::uint32_t* ms) {
  if (text.size() < 2 || text.size() > 3) return false;
  std::uint32_t n = 0;
  for (char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return false;
    n = n * 10 + static_cast<std::uint32_t>(c - '0');
  }
  std::uint32_t unit = 0;
  switch (text.back()) {
    case 's': unit = 1'000; break;
    case 'm': unit = 60'000; break;
    case 'h': unit = 3'600'000; break;
    case 'd': unit = 86'400'000; break;
    case 'w': unit = 604'800'000; break;
    default: return false;
  }
  *ms = n * unit;
  return n != 0 && n <= 60;
}

// "btcusdt@depth20@100ms": a whole top of the book under the names of a diff.
bool IsPartialDepth(std::string_view stream) {
  const std::size_t at = stream.find("@depth");
  if (at == std::string_view::npos) return false;
  const std::string_view rest = stream.substr(at + 6);
  return !rest.empty() && rest[0] >= '0' && rest[0] <= '9';
}

// "https://…/depth?symbol=NKNUSDT&limit=1000"
std::string_view SymbolOfUrl(std::string_view url) {
  for (std::string_view key : {"?symbol=", "&symbol="}) {
    const std::size_t at = url.find(key);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = url.substr(at + key.size());
    return rest.substr(0, rest.find_first_of("&# "));
  }
  return {};
}

class BinanceFeed : public VenueFeed {
 public:
  BinanceFeed(const VenueOptions& options, Session* session) : options_(options), session_(session), books_(options, session) {}

  void OnFrame(std::span<const std::uint8_t> frame, FrameKind kind, std::string_view about) override {
    const BinanceKind what = decoder_.Decode(frame);
    if (decoder_.fell_back()) session_->Count(Reason::kScannerFallback);
    switch (what) {
      case BinanceKind::kTrade: return OnTrade(decoder_.trade());
      case BinanceKind::kAggTrade: return OnAggTrade(decoder_.agg_trade());
      case BinanceKind::kBookTicker: return OnBookTicker(decoder_.book_ticker());
      case BinanceKind::kDepthUpdate: return OnDepth();
      case BinanceKind::kDepthSnapshot: return OnSnapshot(about);
      case BinanceKind::kKline: return OnKline(decoder_.kline());
      case BinanceKind::kError: KeepText(frame); [[fallthrough]];
      case BinanceKind::kAnswer: return session_->Count(Reason::kTextMessage);
      case BinanceKind::kNone: return session_->Count(decoder_.reason());
    }
  }
  void OnReconnect() override {
    books_.OnReconnect();
    for (State& state : states_) {
      state.ids.OnReconnect();
      state.quote_id = 0;
    }
  }
  std::vector<FeedRequest> TakeRequests() override { return books_.TakeRequests(); }
  BookStats book_stats() const override { return books_.stats(); }
  std::vector<std::string> TakeTexts() override { return std::exchange(texts_, {}); }

 private:
  struct State {
    BinanceKind trades = BinanceKind::kNone;  // Which of the two kinds this instrument's trades come from.
    TradeIds ids;
    std::uint64_t quote_id = 0;
  };

  State& Of(const FeedInstrument& instrument) {
    if (states_.size() <= instrument.ordinal) states_.resize(instrument.ordinal + 1);
    return states_[instrument.ordinal];
  }
  void KeepText(std::span<const std::uint8_t> frame) {
    if (texts_.size() >= kTextsMax) return;
    texts_.emplace_back(reinterpret_cast<const char*>(frame.data()), std::min(frame.size(), kTextSizeMax));
  }

  // A decimal that is none is the message's fault; one that does not fit, ours. False: neither value is usable.
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

  void EmitTrade(Trade& trade, BinanceKind kind, std::string_view symbol, std::uint64_t time, std::string_view price,
                 std::string_view size) {
    if (!options_.trades) return;
    FeedInstrument* instrument = session_->FindSymbol(symbol);
    if (instrument == nullptr) return;
    if (!UnixToNs(time, &trade.header.ts_event)) return session_->Count(Reason::kBadTime);
    bool fits = true;
    if (!Scaled(price, instrument->instrument->price_exponent, &trade.price, &fits) ||
        !Scaled(size, instrument->instrument->size_exponent, &trade.size, &fits)) {
      return;
    }
    if (trade.price < 0 || trade.size < 0) return session_->Count(Reason::kBadNumber);
    State& state = Of(*instrument);
    if (state.trades == BinanceKind::kNone) state.trades = kind;
    if (state.trades != kind) return session_->Count(Reason::kFiltered);
    if (!state.ids.Accept(session_, *instrument, trade.trade_id, trade.header.ts_event)) return;
    if (!fits) {
      session_->Count(Reason::kOverflow);
      return session_->EmitLost(*instrument, RecordType::kTrade, GapCause::kOverflow, trade.header.ts_event);
    }
    if (trade.conditions != 0 || trade.price == 0) trade.header.flags |= kFlagOffMarket;
    session_->Emit(trade, RecordType::kTrade, *instrument);
  }

  void OnTrade(const BinanceTrade& t) {
    Trade trade{};
    trade.trade_id = t.id;
    trade.fills = 1;
    trade.side = t.buyer_is_maker ? Side::kSell : Side::kBuy;
    if (!t.order_type.empty() && t.order_type != "MARKET") {
      trade.conditions = t.order_type == "INSURANCE_FUND" ? kConditionInsuranceFund
                         : t.order_type == "ADL"          ? kConditionDeleveraging
                                                          : kConditionOther;
    }
    EmitTrade(trade, BinanceKind::kTrade, t.symbol, t.time, t.price, t.size);
  }

  void OnAggTrade(const BinanceAggTrade& t) {
    if (t.last_id < t.first_id) return session_->Count(Reason::kBadNumber);
    Trade trade{};
    trade.trade_id = t.id;
    trade.fills = static_cast<std::uint16_t>(std::min<std::uint64_t>(t.last_id - t.first_id, 0xfffe) + 1);
    trade.side = t.buyer_is_maker ? Side::kSell : Side::kBuy;
    EmitTrade(trade, BinanceKind::kAggTrade, t.symbol, t.time, t.price, t.size);
  }

  void OnBookTicker(const BinanceBookTicker& t) {
    FeedInstrument* instrument = session_->FindSymbol(t.symbol);
    if (instrument == nullptr) return;
    Quote quote{};
    if (t.time != 0 && !UnixToNs(t.time, &quote.header.ts_event)) return session_->Count(Reason::kBadTime);
    const int price_exponent = instrument->instrument->price_exponent, size_exponent = instrument->instrument->size_exponent;
    bool fits = true;
    if (!Scaled(t.bid_price, price_exponent, &quote.bid_price, &fits) ||
        !Scaled(t.bid_size, size_exponent, &quote.bid_size, &fits) ||
        !Scaled(t.ask_price, price_exponent, &quote.ask_price, &fits) ||
        !Scaled(t.ask_size, size_exponent, &quote.ask_size, &fits)) {
      return;
    }
    State& state = Of(*instrument);
    if (t.update_id < state.quote_id) return session_->Count(Reason::kSequence);
    state.quote_id = t.update_id;
    if (!fits) {
      session_->Count(Reason::kOverflow);
      if (options_.quotes) session_->EmitLost(*instrument, RecordType::kQuote, GapCause::kOverflow, quote.header.ts_event);
      return;
    }
    if (quote.bid_price == 0 && quote.bid_size == 0) quote.bid_price = kNoPrice;
    if (quote.ask_price == 0 && quote.ask_size == 0) quote.ask_price = kNoPrice;
    books_.OnBest(*instrument, t.update_id, quote);
    if (options_.quotes) session_->Emit(quote, RecordType::kQuote, *instrument);
  }

  void OnDepth() {
    FeedInstrument* instrument = session_->FindSymbol(decoder_.depth().symbol);
    if (instrument == nullptr) return;
    if (IsPartialDepth(decoder_.stream())) {
      books_.OnPartial(*instrument, decoder_.depth(), decoder_.bids(), decoder_.asks());
    } else {
      books_.OnDiff(*instrument, decoder_.depth(), decoder_.bids(), decoder_.asks());
    }
  }

  // A spot snapshot does not say whose it is: its stream, its URL, or the one book that waits does.
  void OnSnapshot(std::string_view about) {
    const decode::BinanceDepth& depth = decoder_.depth();
    if (IsPartialDepth(decoder_.stream())) {
      std::string symbol(decoder_.stream().substr(0, std::min<std::size_t>(decoder_.stream().find('@'), 64)));
      for (char& c : symbol) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      if (FeedInstrument* instrument = session_->FindSymbol(symbol))
        books_.OnPartial(*instrument, depth, decoder_.bids(), decoder_.asks());
      return;
    }
    const std::string_view symbol = !depth.symbol.empty() ? depth.symbol : SymbolOfUrl(about);
    FeedInstrument* instrument = nullptr;
    if (!symbol.empty()) {
      instrument = session_->FindSymbol(symbol);
    } else if ((instrument = books_.OnlyWaiting()) == nullptr) {
      session_->Count(Reason::kUnknownInstrument);
    }
    if (instrument != nullptr) books_.OnSnapshot(*instrument, depth, decoder_.bids(), decoder_.asks());
  }

  // The venue's own bars, once closed.
  void OnKline(const BinanceKline& k) {
    if (!options_.bars || !k.closed) return;
    FeedInstrument* instrument = session_->FindSymbol(k.symbol);
    if (instrument == nullptr) return;
    Bar bar{};
    if (!IntervalMs(k.interval, &bar.interval_ms)) return session_->Count(Reason::kBadEnum);
    if (!UnixToNs(k.start, &bar.header.ts_event) || !UnixToNs(k.end, &bar.ts_end) || k.end < k.start)
      return session_->Count(Reason::kBadTime);
    bar.ts_end = bar.header.ts_event + bar.interval_ms * 1'000'000ULL;
    bar.basis = BarBasis::kTrade;
    const int price_exponent = instrument->instrument->price_exponent, size_exponent = instrument->instrument->size_exponent;
    bool fits = true;
    Decimal turnover;
    if (!Scaled(k.open, price_exponent, &bar.open, &fits) || !Scaled(k.high, price_exponent, &bar.high, &fits) ||
        !Scaled(k.low, price_exponent, &bar.low, &fits) || !Scaled(k.close, price_exponent, &bar.close, &fits) ||
        !Scaled(k.volume, size_exponent, &bar.volume, &fits) || !Scaled(k.buy_volume, size_exponent, &bar.buy_volume, &fits)) {
      return;
    }
    if (!decode::IsJsonNumber(k.quote_volume) || !ParseDecimal(k.quote_volume, &turnover) || turnover.mantissa < 0) {
      return session_->Count(Reason::kBadNumber);
    }
    unsigned __int128 total = static_cast<unsigned __int128>(turnover.mantissa);
    int shift = turnover.exponent - price_exponent - size_exponent;
    for (; shift > 0 && total >> 120 == 0; --shift) total *= 10;
    for (; shift < 0 && total % 10 == 0 && total != 0; ++shift) total /= 10;
    if ((shift != 0 && total != 0) || !fits) {
      session_->Count(Reason::kOverflow);
      return session_->EmitLost(*instrument, bar, GapCause::kOverflow);
    }
    bar.turnover_low = static_cast<std::uint64_t>(total);
    bar.turnover_high = static_cast<std::uint64_t>(total >> 64);
    bar.vwap = Vwap(total, bar.volume);
    bar.open_interest = kNoSize;
    bar.trades = static_cast<std::uint32_t>(std::min<std::uint64_t>(k.trades, std::numeric_limits<std::uint32_t>::max()));
    bar.version = 1;
    bar.reason = BarReason::kOfficial;
    bar.header.flags = kFlagFinal;
    session_->Emit(bar, RecordType::kBar, *instrument);
  }

  // Half to even; turnover has the exponents of price and size, so that the quotient has the price's.
  static std::int64_t Vwap(unsigned __int128 turnover, std::int64_t volume) {
    if (volume <= 0) return kNoPrice;
    const auto divisor = static_cast<unsigned __int128>(volume);
    unsigned __int128 quotient = turnover / divisor;
    const unsigned __int128 rest = turnover % divisor;
    if (rest * 2 > divisor || (rest * 2 == divisor && (quotient & 1) != 0)) ++quotient;
    return quotient > static_cast<unsigned __int128>(std::numeric_limits<std::int64_t>::max())
               ? kNoPrice
               : static_cast<std::int64_t>(quotient);
  }

  VenueOptions options_;
  Session* session_;
  decode::BinanceDecoder decoder_;
  BinanceBooks books_;
  std::vector<State> states_;
  std::vector<std::string> texts_;
};

}  // namespace

std::unique_ptr<VenueFeed> MakeBinanceFeed(const VenueOptions& options, Session* session) {
  return std::make_unique<BinanceFeed>(options, session);
}

}  // namespace tw::feed
