// Kite: sampled. A full packet is a ticker, a quote and a depth5; a quote or index packet a ticker; an ltp packet a ticker
// with its price alone. An instrument is known by its token. Prices of 0 are the venue's way to say "none".
#include <algorithm>
#include <utility>

#include "decode/kite.h"
#include "feed/scale.h"
#include "feed/venue_feed.h"

namespace tw::feed {
namespace {

using decode::KiteKind;
using decode::KitePacket;

constexpr std::size_t kTextsMax = 64;
constexpr std::size_t kTextSizeMax = 4096;

class KiteFeed : public VenueFeed {
 public:
  KiteFeed(const VenueOptions& options, Session* session) : options_(options), session_(session) {}

  void OnFrame(std::span<const std::uint8_t> frame, FrameKind kind, std::string_view about) override {
    if (kind != FrameKind::kBinary) {
      session_->Count(Reason::kTextMessage);
      if (texts_.size() < kTextsMax) {
        texts_.emplace_back(reinterpret_cast<const char*>(frame.data()), std::min(frame.size(), kTextSizeMax));
      }
      return;
    }
    const Reason reason = decode::ForEachKitePacket(frame, [this](std::span<const std::uint8_t> packet) { OnPacket(packet); });
    if (reason != Reason::kNone) session_->Count(reason);
  }
  std::vector<std::string> TakeTexts() override { return std::exchange(texts_, {}); }

 private:
  void OnPacket(std::span<const std::uint8_t> bytes) {
    KitePacket packet;
    if (const Reason reason = decode::DecodeKite(bytes, &packet); reason != Reason::kNone) {
      session_->Count(reason);
      return;
    }
    FeedInstrument* instrument = session_->FindKey(packet.token());
    if (instrument == nullptr) return;
    const Scale scale{decode::KitePriceExponent(packet.segment()), instrument->instrument->price_exponent,
                      instrument->instrument->size_exponent};
    std::uint64_t ts_event = 0;
    std::uint64_t ts_last_trade = 0;
    if (packet.kind == KiteKind::kFull) {
      ts_last_trade = Time(packet.last_trade_time());
      ts_event = Time(packet.exchange_time());
      if (ts_event == 0) ts_event = ts_last_trade;
    } else if (packet.kind == KiteKind::kIndexFull) {
      ts_event = Time(packet.exchange_time());
    }
    EmitTicker(packet, scale, ts_event, ts_last_trade, *instrument);
    if (packet.kind != KiteKind::kFull) return;
    if (options_.quotes) EmitQuote(packet, scale, ts_event, *instrument);
    EmitDepth(packet, scale, ts_event, *instrument);
  }

  struct Scale {
    int wire_exponent;
    int price_exponent;
    int size_exponent;
    bool Price(std::int32_t raw, std::int64_t* out) const {
      if (raw != 0) return ScaleInteger(raw, wire_exponent, price_exponent, out);
      *out = kNoPrice;
      return true;
    }
    bool Size(std::uint32_t raw, std::int64_t* out) const { return ScaleInteger(raw, 0, size_exponent, out); }
  };

  // 0: not told, or a time no market has.
  std::uint64_t Time(std::uint32_t seconds) {
    if (seconds == 0) return 0;
    if (PlausibleSeconds(seconds)) return seconds * 1'000'000'000ull;
    session_->Count(Reason::kBadTime);
    return 0;
  }

  void EmitTicker(const KitePacket& p, const Scale& scale, std::uint64_t ts_event, std::uint64_t ts_last_trade, FeedInstrument& instrument) {
    Ticker t = EmptyTicker();
    t.header.ts_event = ts_event;
    t.ts_last_trade = ts_last_trade;
    bool fits = scale.Price(p.last_price(), &t.last_price);
    if (p.is_index()) {
      fits = fits && scale.Price(p.index_open(), &t.open) && scale.Price(p.index_high(), &t.high) && scale.Price(p.index_low(), &t.low) &&
             scale.Price(p.index_close(), &t.previous_close);
    } else if (p.has_quote()) {
      fits = fits && scale.Size(p.last_quantity(), &t.last_size) && scale.Price(p.average_price(), &t.average_price) &&
             scale.Size(p.volume(), &t.volume) && scale.Size(p.buy_quantity(), &t.buy_quantity) &&
             scale.Size(p.sell_quantity(), &t.sell_quantity) && scale.Price(p.open(), &t.open) && scale.Price(p.high(), &t.high) &&
             scale.Price(p.low(), &t.low) && scale.Price(p.close(), &t.previous_close);
    }
    if (p.kind == KiteKind::kFull) {
      fits = fits && scale.Size(p.open_interest(), &t.open_interest) &&
             scale.Size(p.open_interest_day_high(), &t.open_interest_day_high) &&
             scale.Size(p.open_interest_day_low(), &t.open_interest_day_low);
    }
    if (!fits) return Lost(instrument, RecordType::kTicker, ts_event);
    session_->Emit(t, RecordType::kTicker, instrument);
  }

  void EmitQuote(const KitePacket& p, const Scale& scale, std::uint64_t ts_event, FeedInstrument& instrument) {
    Quote quote{};
    quote.header.ts_event = ts_event;
    const auto bid = p.depth(0);
    const auto ask = p.depth(5);
    const bool fits = scale.Price(bid.price, &quote.bid_price) && scale.Price(ask.price, &quote.ask_price) &&
                      scale.Size(bid.quantity, &quote.bid_size) && scale.Size(ask.quantity, &quote.ask_size);
    if (!fits) return Lost(instrument, RecordType::kQuote, ts_event);
    session_->Emit(quote, RecordType::kQuote, instrument);
  }

  void EmitDepth(const KitePacket& p, const Scale& scale, std::uint64_t ts_event, FeedInstrument& instrument) {
    Depth5 depth{};
    depth.header.ts_event = ts_event;
    depth.header.flags = kFlagSnapshot;
    for (std::size_t k = 0; k < 10; ++k) {
      const auto entry = p.depth(k);
      DepthLevel& level = k < 5 ? depth.bids[k] : depth.asks[k - 5];
      level.orders = entry.orders;
      if (!scale.Price(entry.price, &level.price) || !scale.Size(entry.quantity, &level.size)) {
        return Lost(instrument, RecordType::kDepth5, ts_event);
      }
    }
    session_->Emit(depth, RecordType::kDepth5, instrument);
  }

  void Lost(FeedInstrument& instrument, RecordType type, std::uint64_t ts_event) {
    session_->Count(Reason::kOverflow);
    session_->EmitLost(instrument, type, GapCause::kOverflow, ts_event);
  }

  VenueOptions options_;
  Session* session_;
  std::vector<std::string> texts_;
};

}  // namespace

std::unique_ptr<VenueFeed> MakeKiteFeed(const VenueOptions& options, Session* session) {
  return std::make_unique<KiteFeed>(options, session);
}

}  // namespace tw::feed
