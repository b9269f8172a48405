// Dhan: sampled, and in pieces: the previous close and the open interest of an instrument come in packets of their own. Each
// packet becomes a ticker that carries its fields and no others; whoever shows an instrument keeps the newest of each field.
// Full and depth packets are a quote and a depth5 as well. An instrument is known by segment << 32 | security id, because
// the venue uses one id in several segments.
#include <algorithm>
#include <string>
#include <utility>

#include "decode/dhan.h"
#include "feed/scale.h"
#include "feed/venue_feed.h"

namespace tw::feed {
namespace {

using decode::DhanCode;
using decode::DhanPacket;

constexpr std::size_t kTextsMax = 64;
constexpr std::size_t kTextSizeMax = 4096;

class DhanFeed : public VenueFeed {
 public:
  DhanFeed(const VenueOptions& options, Session* session) : options_(options), session_(session) {}

  void OnFrame(std::span<const std::uint8_t> frame, FrameKind kind, std::string_view about) override {
    if (kind != FrameKind::kBinary) {
      session_->Count(Reason::kTextMessage);
      Say(std::string(reinterpret_cast<const char*>(frame.data()), std::min(frame.size(), kTextSizeMax)));
      return;
    }
    const Reason reason = decode::ForEachDhanPacket(
        frame, [this](std::span<const std::uint8_t> packet) { OnPacket(packet); }, [this] { session_->Count(Reason::kHeartbeat); });
    if (reason != Reason::kNone) session_->Count(reason);
  }
  std::vector<std::string> TakeTexts() override { return std::exchange(texts_, {}); }

 private:
  void OnPacket(std::span<const std::uint8_t> bytes) {
    DhanPacket packet{};
    if (const Reason reason = decode::DecodeDhan(bytes, &packet); reason != Reason::kNone) {
      session_->Count(reason);
      return;
    }
    if (packet.code == DhanCode::kDisconnect) {
      session_->Count(Reason::kTextMessage);
      Say("disconnect " + std::to_string(packet.reason) + ": " + decode::DhanDisconnectText(packet.reason));
      return;
    }
    if (packet.code == DhanCode::kMarketStatus) {
      session_->Count(Reason::kNotMarketData);
      return;
    }
    if (packet.segment == 6 || packet.segment > 8) {
      session_->Count(Reason::kBadEnum);
      return;
    }
    FeedInstrument* instrument = session_->FindKey(packet.venue_key());
    if (instrument == nullptr) return;
    const Scale scale{instrument->instrument->price_exponent, instrument->instrument->size_exponent};
    const std::uint64_t ts_trade = Time(packet.last_time);
    EmitTicker(packet, scale, ts_trade, *instrument);
    if (packet.code != DhanCode::kFull && packet.code != DhanCode::kDepth) return;
    if (options_.quotes) EmitQuote(packet, scale, ts_trade, *instrument);
    EmitDepth(packet, scale, ts_trade, *instrument);
  }

  enum class Fit : std::uint8_t { kOk, kBadNumber, kOverflow };
  struct Scale {
    int price_exponent;
    int size_exponent;
    // The decimal the venue meant, not the double its float widens to.
    Fit Price(float raw, std::int64_t* out) const {
      if (raw == 0) {
        *out = kNoPrice;
        return Fit::kOk;
      }
      Decimal value;
      if (!FromFloatShortest(raw, &value)) return Fit::kBadNumber;
      return ScaleRounded(value, price_exponent, out) ? Fit::kOk : Fit::kOverflow;
    }
    Fit Size(std::uint32_t raw, std::int64_t* out) const { return ScaleInteger(raw, 0, size_exponent, out) ? Fit::kOk : Fit::kOverflow; }
  };
  // The first that is not kOk.
  static Fit All(std::initializer_list<Fit> fits) {
    for (const Fit fit : fits) {
      if (fit != Fit::kOk) return fit;
    }
    return Fit::kOk;
  }

  std::uint64_t Time(std::uint32_t ist_seconds) {
    if (ist_seconds == 0) return 0;
    const std::uint64_t utc = ist_seconds - static_cast<std::uint64_t>(decode::kDhanIstOffsetS);
    if (ist_seconds > decode::kDhanIstOffsetS && PlausibleSeconds(utc)) return utc * 1'000'000'000ull;
    session_->Count(Reason::kBadTime);
    return 0;
  }

  void EmitTicker(const DhanPacket& p, const Scale& scale, std::uint64_t ts_trade, FeedInstrument& instrument) {
    Ticker t = EmptyTicker();
    t.header.ts_event = t.ts_last_trade = ts_trade;
    Fit fit = Fit::kOk;
    switch (p.code) {
      case DhanCode::kTicker:
      case DhanCode::kDepth: fit = scale.Price(p.last_price, &t.last_price); break;
      case DhanCode::kPreviousClose:
        // Its open interest is the previous day's: a reading of another day is not this field.
        fit = scale.Price(p.previous_close, &t.previous_close);
        break;
      case DhanCode::kOpenInterest: fit = scale.Size(p.open_interest, &t.open_interest); break;
      default:
        fit = All({scale.Price(p.last_price, &t.last_price), scale.Size(p.last_quantity, &t.last_size),
                   scale.Price(p.average_price, &t.average_price), scale.Size(p.volume, &t.volume),
                   scale.Size(p.buy_quantity, &t.buy_quantity), scale.Size(p.sell_quantity, &t.sell_quantity), scale.Price(p.open, &t.open),
                   scale.Price(p.high, &t.high), scale.Price(p.low, &t.low), scale.Price(p.close, &t.previous_close)});
        if (fit == Fit::kOk && p.code == DhanCode::kFull) {
          fit = All({scale.Size(p.open_interest, &t.open_interest), scale.Size(p.open_interest_day_high, &t.open_interest_day_high),
                     scale.Size(p.open_interest_day_low, &t.open_interest_day_low)});
        }
    }
    if (fit != Fit::kOk) return Lost(fit, instrument, RecordType::kTicker, ts_trade);
    session_->Emit(t, RecordType::kTicker, instrument);
  }

  void EmitQuote(const DhanPacket& p, const Scale& scale, std::uint64_t ts_trade, FeedInstrument& instrument) {
    Quote quote{};
    quote.header.ts_event = ts_trade;
    const auto& best = p.levels[0];
    const Fit fit = All({scale.Price(best.bid_price, &quote.bid_price), scale.Price(best.ask_price, &quote.ask_price),
                         scale.Size(best.bid_quantity, &quote.bid_size), scale.Size(best.ask_quantity, &quote.ask_size)});
    if (fit != Fit::kOk) return Lost(fit, instrument, RecordType::kQuote, ts_trade);
    session_->Emit(quote, RecordType::kQuote, instrument);
  }

  void EmitDepth(const DhanPacket& p, const Scale& scale, std::uint64_t ts_trade, FeedInstrument& instrument) {
    Depth5 depth{};
    depth.header.ts_event = ts_trade;
    depth.header.flags = kFlagSnapshot;
    for (std::size_t k = 0; k < 5; ++k) {
      const auto& level = p.levels[k];
      depth.bids[k].orders = level.bid_orders;
      depth.asks[k].orders = level.ask_orders;
      const Fit fit = All({scale.Price(level.bid_price, &depth.bids[k].price), scale.Size(level.bid_quantity, &depth.bids[k].size),
                           scale.Price(level.ask_price, &depth.asks[k].price), scale.Size(level.ask_quantity, &depth.asks[k].size)});
      if (fit != Fit::kOk) return Lost(fit, instrument, RecordType::kDepth5, ts_trade);
    }
    session_->Emit(depth, RecordType::kDepth5, instrument);
  }

  void Lost(Fit fit, FeedInstrument& instrument, RecordType type, std::uint64_t ts_event) {
    session_->Count(fit == Fit::kBadNumber ? Reason::kBadNumber : Reason::kOverflow);
    session_->EmitLost(instrument, type, fit == Fit::kBadNumber ? GapCause::kCorruption : GapCause::kOverflow, ts_event);
  }

  void Say(std::string text) {
    if (texts_.size() < kTextsMax) texts_.push_back(std::move(text));
  }

  VenueOptions options_;
  Session* session_;
  std::vector<std::string> texts_;
};

}  // namespace

std::unique_ptr<VenueFeed> MakeDhanFeed(const VenueOptions& options, Session* session) {
  return std::make_unique<DhanFeed>(options, session);
}

}  // namespace tw::feed
