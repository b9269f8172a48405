#include "wire/avro.h"

#include <cstring>
#include <string_view>

#include "model/decimal.h"
#include "wire/json.h"

namespace tw::wire {
namespace {

constexpr std::size_t kTextMax = 160;                     // Turnover and event id.
constexpr std::size_t kFixedMax = 5 + 16 * 10 + 40 * 10;  // Wire header, header fields, own fields.
constexpr std::size_t kLevelMax = 10 + 11 + 5;
constexpr std::size_t kRecordMax = kFixedMax + 40 * kLevelMax + 2 * 4 + kTextMax;

// Unchecked: the buffer holds the largest record.
class Out {
 public:
  explicit Out(std::uint8_t* at) : at_(at) {}
  std::uint8_t* at() const { return at_; }

  void WireHeader(std::uint32_t schema_id) {
    *at_++ = 0;
    for (int shift = 24; shift >= 0; shift -= 8) *at_++ = static_cast<std::uint8_t>(schema_id >> shift);
  }
  // int and long alike: zigzag, seven bits a byte.
  void Long(std::int64_t value) {
    std::uint64_t bits = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
    while (bits >= 0x80) {
      *at_++ = static_cast<std::uint8_t>(bits | 0x80);
      bits >>= 7;
    }
    *at_++ = static_cast<std::uint8_t>(bits);
  }
  void Bits(std::uint64_t value) { Long(static_cast<std::int64_t>(value)); }
  void Text(std::string_view text) {
    Long(static_cast<std::int64_t>(text.size()));
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void Null() { Long(0); }
  // Of the union [null, long].
  void Optional(std::int64_t value) {
    if (value == kNoPrice) return Null();
    Long(1);
    Long(value);
  }
  void OptionalTime(std::uint64_t ns) {
    if (ns == 0) return Null();
    Long(1);
    Bits(ns);
  }
  // A symbol's place in its enumeration is its value; what the schema does not know is the first.
  template <class Enum>
  void Choice(Enum value, Enum last) {
    Long(value <= last ? static_cast<std::int64_t>(value) : 0);
  }

 private:
  std::uint8_t* at_;
};

void Body(Out& out, const Trade& r) {
  out.Long(r.price);
  out.Long(r.size);
  out.Bits(r.trade_id);
  out.Long(r.conditions);
  out.Long(r.fills);
  out.Choice(r.side, Side::kSell);
}

void Body(Out& out, const Quote& r) {
  out.Optional(r.bid_price);
  out.Optional(r.ask_price);
  out.Optional(r.bid_size);
  out.Optional(r.ask_size);
}

void Body(Out& out, const Ticker& r) {
  for (const std::int64_t value :
       {r.last_price, r.last_size, r.average_price, r.volume, r.buy_quantity, r.sell_quantity, r.open_interest,
        r.open_interest_day_high, r.open_interest_day_low, r.open, r.high, r.low, r.previous_close}) {
    out.Optional(value);
  }
  out.OptionalTime(r.ts_last_trade);
}

void Body(Out& out, const Index& r) {
  out.Optional(r.price);
  out.Optional(r.settle_price);
  out.Optional(r.funding_rate);
  out.OptionalTime(r.ts_next_funding);
}

void Levels(Out& out, const DepthLevel* levels, std::size_t size) {
  std::size_t count = 0;
  while (count < size && levels[count].price != kNoPrice) ++count;
  if (count != 0) out.Long(static_cast<std::int64_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    out.Long(levels[i].price);
    out.Optional(levels[i].size);
    out.Long(levels[i].orders);
  }
  out.Long(0);
}

template <std::size_t N>
void Body(Out& out, const Depth<N>& r) {
  out.Long(N);
  Levels(out, r.bids, N);
  Levels(out, r.asks, N);
}

void Body(Out& out, const Level& r) {
  out.Optional(r.price);
  out.Optional(r.size);
  out.Bits(r.update_id);
  out.Long(r.orders);
  out.Choice(r.side, BookSide::kAsk);
  out.Choice(r.action, LevelAction::kClear);
}

void Body(Out& out, const Bar& r, const Instrument& instrument, std::string* text) {
  for (const std::int64_t value : {r.open, r.high, r.low, r.close, r.volume}) out.Optional(value);
  text->clear();
  const auto turnover = (static_cast<__int128>(r.turnover_high) << 64) | static_cast<__int128>(r.turnover_low);
  AppendDecimal128(turnover, instrument.price_exponent + instrument.size_exponent, text);
  out.Text(*text);
  out.Optional(r.vwap);
  out.Bits(r.first);
  out.Bits(r.last);
  out.Optional(r.buy_volume);
  out.Optional(r.open_interest);
  out.Bits(r.ts_end);
  out.Long(r.interval_ms);
  out.Long(r.trades);
  out.Long(r.gaps);
  out.Long(r.lost);
  out.Long(r.version);
  out.Choice(r.basis, BarBasis::kBar);
  out.Choice(r.reason, BarReason::kBust);
  out.Long(r.completeness);
}

void Body(Out& out, const Gap& r) {
  out.Optional(r.count == kUnknownCount ? kNoSize : static_cast<std::int64_t>(r.count));
  out.Bits(r.venue_from);
  out.Bits(r.venue_to);
  out.OptionalTime(r.ts_from);
  out.Choice(r.of_type, RecordType::kStatus);
  out.Choice(r.cause, GapCause::kOverflow);
  out.Long(r.version);
  out.Choice(r.state, GapState::kUnrepairable);
  out.Choice(r.of_basis, BarBasis::kBar);
}

}  // namespace

std::span<const std::uint8_t> AvroEncoder::Encode(const void* record, const Instrument& instrument, std::uint32_t schema_id) {
  const auto* header = static_cast<const Header*>(record);
  const std::size_t room = kRecordMax + instrument.symbol.size();
  if (buffer_.size() < room) buffer_.resize(room);
  Out out(buffer_.data());
  out.WireHeader(schema_id);
  out.Text(instrument.symbol);
  out.Long(header->instrument_id);
  out.Bits(header->ts_event);
  out.Bits(header->ts_recv);
  out.Long(header->epoch);
  out.Long(header->seq);
  out.Long(header->source);
  out.Long(header->flags);
  out.Long(instrument.price_exponent);
  out.Long(instrument.size_exponent);
  switch (header->type) {
    case RecordType::kTrade: Body(out, *static_cast<const Trade*>(record)); break;
    case RecordType::kQuote: Body(out, *static_cast<const Quote*>(record)); break;
    case RecordType::kTicker: Body(out, *static_cast<const Ticker*>(record)); break;
    case RecordType::kIndex: Body(out, *static_cast<const Index*>(record)); break;
    case RecordType::kDepth5: Body(out, *static_cast<const Depth5*>(record)); break;
    case RecordType::kDepth10: Body(out, *static_cast<const Depth10*>(record)); break;
    case RecordType::kDepth20: Body(out, *static_cast<const Depth20*>(record)); break;
    case RecordType::kLevel: Body(out, *static_cast<const Level*>(record)); break;
    case RecordType::kBar: Body(out, *static_cast<const Bar*>(record), instrument, &id_); break;
    case RecordType::kGap: Body(out, *static_cast<const Gap*>(record)); break;
    default: return {};
  }
  id_.clear();
  AppendEventId(record, &id_);
  out.Text(id_);
  return {buffer_.data(), static_cast<std::size_t>(out.at() - buffer_.data())};
}

}  // namespace tw::wire
