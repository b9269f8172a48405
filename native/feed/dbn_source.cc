#include "feed/dbn_source.h"

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <vector>

#include "decode/dbn.h"
#include "feed/scale.h"
#include "feed/symbol.h"

namespace tw::feed {
namespace {

using decode::ReadLittle;

// UTC midnight of YYYYMMDD; 0: no such date.
std::uint64_t MidnightNs(std::uint32_t date) {
  namespace c = std::chrono;
  const c::year_month_day day{c::year{static_cast<int>(date / 10'000)}, c::month{date / 100 % 100}, c::day{date % 100}};
  if (!day.ok() || date < 19'700'101 || date > 21'000'101) return 0;
  return static_cast<std::uint64_t>(c::sys_days{day}.time_since_epoch().count()) * 86'400'000'000'000ull;
}

Side SideOf(std::uint8_t side) { return side == 'B' ? Side::kBuy : side == 'A' ? Side::kSell : Side::kUnknown; }

std::uint16_t FlagsOf(std::uint8_t flags) {
  std::uint16_t out = 0;
  if ((flags & decode::kDbnFlagLast) != 0) out |= kFlagLastOfUpdate;
  if ((flags & decode::kDbnFlagSnapshot) != 0) out |= kFlagSnapshot;
  if ((flags & decode::kDbnFlagMaybeBadBook) != 0) out |= kFlagSuspect;
  return out;
}

class DbnSource : public RecordSource {
 public:
  DbnSource(const VenueOptions& options, Session* session) : options_(options), session_(session) {}

  void Feed(std::span<const std::uint8_t> chunk, bool last) override {
    if (dead_) return;
    std::span<const std::uint8_t> bytes = chunk;
    if (!carry_.empty()) {
      carry_.insert(carry_.end(), chunk.begin(), chunk.end());
      bytes = carry_;
    }
    std::size_t used = 0;
    if (!begun_) used = Begin(bytes);
    while (begun_ && !dead_ && used < bytes.size()) {
      const std::size_t size = decode::DbnRecordSize(bytes.subspan(used));
      if (size == 0 && bytes.size() - used >= 2) {  // Where the next record begins nobody can say.
        Die(Reason::kBadLength);
        break;
      }
      if (size == 0 || size > bytes.size() - used) break;
      OnRecord(bytes.subspan(used, size));
      used += size;
    }
    if (dead_) {
      carry_ = {};
      return;
    }
    if (last && used < bytes.size()) session_->Count(Reason::kTruncated);
    if (carry_.empty()) {
      carry_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(used), bytes.end());
    } else {
      carry_.erase(carry_.begin(), carry_.begin() + static_cast<std::ptrdiff_t>(used));
    }
    if (last) carry_ = {};
  }

 private:
  struct Range {
    std::uint64_t start;
    std::uint64_t end;
    FeedInstrument* instrument;
    std::string symbol;
    bool looked_up;
  };

  void Die(Reason reason) {
    session_->Count(reason);
    dead_ = true;
  }

  std::size_t Begin(std::span<const std::uint8_t> bytes) {
    std::size_t size = 0;
    if (const Reason reason = decode::DbnMetadataSize(bytes, &size); reason != Reason::kNone) return Die(reason), 0;
    if (size == 0 || bytes.size() < size) return 0;
    decode::DbnMetadata metadata;
    if (const Reason reason = decode::ParseDbnMetadata(bytes, &metadata); reason != Reason::kNone) return Die(reason), 0;
    ts_out_ = metadata.ts_out;
    tbbo_ = metadata.schema == decode::kDbnSchemaTbbo;
    for (const decode::DbnMapping& mapping : metadata.mappings) {
      const std::uint64_t start = MidnightNs(mapping.start_date);
      const std::uint64_t end = MidnightNs(mapping.end_date);
      if (start != 0 && end > start) ranges_[mapping.instrument_id].push_back({start, end, nullptr, mapping.symbol, false});
    }
    begun_ = true;
    return size;
  }

  FeedInstrument* Find(std::uint32_t id, std::uint64_t at) {
    if (const auto found = ranges_.find(id); found != ranges_.end()) {
      for (Range& range : found->second) {
        if (at < range.start || at >= range.end) continue;
        if (!range.looked_up) {
          range.looked_up = true;
          const std::string symbol = SymbolOf(range.symbol);
          if (symbol.empty()) session_->Count(Reason::kBadSymbol);
          else range.instrument = session_->FindSymbol(symbol);
        } else if (range.instrument == nullptr) {
          session_->Count(Reason::kUnknownInstrument);
        }
        return range.instrument;
      }
    }
    return session_->FindSymbol(std::to_string(id));  // A file without mappings: the venue's number is the name.
  }

  void OnRecord(std::span<const std::uint8_t> record) {
    const std::uint8_t* p = record.data();
    const std::size_t size = ts_out_ && record.size() >= decode::kDbnHeader + 8 ? record.size() - 8 : record.size();
    const std::uint8_t rtype = p[1];
    if (decode::DbnFields(rtype, size).empty()) {
      session_->Count(Reason::kUnknownType);
      return;
    }
    switch (rtype) {
      case decode::kDbnTrade: return OnTrade(p, p + 16, p + 24, p[28], p[29], p[30], p + 32, p + 44);
      case decode::kDbnMbo:
        if (p[38] == 'T') return OnTrade(p, p + 24, p + 32, p[38], p[39], p[36], p + 40, p + 52);
        session_->Count(Reason::kNotMarketData);
        return;
      case decode::kDbnMbp1:
      case decode::kDbnMbp10:
      case decode::kDbnCmbp1:
      case decode::kDbnTcbbo: {
        const bool consolidated = rtype == decode::kDbnCmbp1 || rtype == decode::kDbnTcbbo;
        if (p[28] == 'T') OnTrade(p, p + 16, p + 24, p[28], p[29], p[30], p + 32, consolidated ? nullptr : p + 44);
        // The book of these two is the one before the trade: behind it, it would be old.
        if ((tbbo_ && rtype == decode::kDbnMbp1) || rtype == decode::kDbnTcbbo) return;
        return OnBook(p, rtype == decode::kDbnMbp10 ? 10 : 1, false);
      }
      case decode::kDbnBbo1s:
      case decode::kDbnBbo1m:
      case decode::kDbnCbbo1s:
      case decode::kDbnCbbo1m: return OnBook(p, 1, true);
      case decode::kDbnOhlcv1s: return OnBar(p, 1'000);
      case decode::kDbnOhlcv1m: return OnBar(p, 60'000);
      case decode::kDbnOhlcv1h: return OnBar(p, 3'600'000);
      case decode::kDbnOhlcv1d: return OnBar(p, 86'400'000);
      default: session_->Count(Reason::kNotMarketData);
    }
  }

  // Begins a frame at the record's receive time; false: it has none that can be.
  bool BeginAt(std::uint64_t ts_recv, std::uint64_t* ts_event) {
    if (*ts_event == decode::kDbnNoTime) *ts_event = 0;
    if (ts_recv == decode::kDbnNoTime) ts_recv = *ts_event;
    if (!PlausibleNs(ts_recv) || (*ts_event != 0 && !PlausibleNs(*ts_event))) {
      session_->Count(Reason::kBadTime);
      return false;
    }
    session_->BeginFrame(ts_recv);
    return true;
  }

  static bool Price(const std::uint8_t* at, const FeedInstrument& instrument, std::int64_t* out) {
    const auto raw = ReadLittle<std::int64_t>(at);
    if (raw != decode::kDbnNoPrice) return ScaleInteger(raw, decode::kDbnPriceExponent, instrument.instrument->price_exponent, out);
    *out = kNoPrice;
    return true;
  }
  static bool Size(std::uint64_t raw, const FeedInstrument& instrument, std::int64_t* out) {
    return raw <= INT64_MAX && ScaleInteger(static_cast<std::int64_t>(raw), 0, instrument.instrument->size_exponent, out);
  }

  void OnTrade(const std::uint8_t* p, const std::uint8_t* price, const std::uint8_t* size, std::uint8_t action, std::uint8_t side,
               std::uint8_t flags, const std::uint8_t* ts_recv, const std::uint8_t* sequence) {
    if (!options_.trades) return;
    if (action != 'T') return session_->Count(Reason::kNotMarketData);
    const auto received = ReadLittle<std::uint64_t>(ts_recv);
    auto ts_event = ReadLittle<std::uint64_t>(p + 8);
    if (!BeginAt(received, &ts_event)) return;
    FeedInstrument* instrument = Find(ReadLittle<std::uint32_t>(p + 4), received == decode::kDbnNoTime ? ts_event : received);
    if (instrument == nullptr) return;
    Trade trade{};
    trade.header.ts_event = ts_event;
    trade.header.flags = FlagsOf(flags);
    trade.trade_id = sequence == nullptr ? 0 : ReadLittle<std::uint32_t>(sequence);
    trade.conditions = flags;
    trade.fills = 1;
    trade.side = SideOf(side);
    if (!Price(price, *instrument, &trade.price) || !Size(ReadLittle<std::uint32_t>(size), *instrument, &trade.size)) {
      return Lost(*instrument, RecordType::kTrade, ts_event);
    }
    if (trade.price == kNoPrice) return session_->Count(Reason::kBadNumber);
    session_->Emit(trade, RecordType::kTrade, *instrument);
  }

  void OnBook(const std::uint8_t* p, std::size_t levels, bool sampled) {
    auto ts_event = ReadLittle<std::uint64_t>(p + 8);
    const auto received = ReadLittle<std::uint64_t>(p + 32);
    if (!BeginAt(received, &ts_event)) return;
    FeedInstrument* instrument = Find(ReadLittle<std::uint32_t>(p + 4), received == decode::kDbnNoTime ? ts_event : received);
    if (instrument == nullptr) return;
    const std::uint16_t flags = static_cast<std::uint16_t>(FlagsOf(p[30]) | (sampled ? kFlagSampled : 0));
    if (options_.quotes) {
      Quote quote{};
      quote.header.ts_event = ts_event;
      quote.header.flags = flags;
      const bool fits = Price(p + 48, *instrument, &quote.bid_price) && Price(p + 56, *instrument, &quote.ask_price) &&
                        Size(ReadLittle<std::uint32_t>(p + 64), *instrument, &quote.bid_size) &&
                        Size(ReadLittle<std::uint32_t>(p + 68), *instrument, &quote.ask_size);
      if (fits) session_->Emit(quote, RecordType::kQuote, *instrument);
      else Lost(*instrument, RecordType::kQuote, ts_event);
    }
    if (levels != 10 || options_.depth_levels != 10) return;
    Depth10 depth{};
    depth.header.ts_event = ts_event;
    depth.header.flags = flags;
    for (std::size_t k = 0; k < levels; ++k) {
      const std::uint8_t* level = p + 48 + 32 * k;
      depth.bids[k].orders = ReadLittle<std::uint32_t>(level + 24);
      depth.asks[k].orders = ReadLittle<std::uint32_t>(level + 28);
      const bool fits = Price(level, *instrument, &depth.bids[k].price) && Price(level + 8, *instrument, &depth.asks[k].price) &&
                        Size(ReadLittle<std::uint32_t>(level + 16), *instrument, &depth.bids[k].size) &&
                        Size(ReadLittle<std::uint32_t>(level + 20), *instrument, &depth.asks[k].size);
      if (!fits) return Lost(*instrument, RecordType::kDepth10, ts_event);
    }
    session_->Emit(depth, RecordType::kDepth10, *instrument);
  }

  void OnBar(const std::uint8_t* p, std::uint32_t interval_ms) {
    if (!options_.bars) return session_->Count(Reason::kNotMarketData);
    auto start = ReadLittle<std::uint64_t>(p + 8);
    if (!BeginAt(decode::kDbnNoTime, &start)) return;
    FeedInstrument* instrument = Find(ReadLittle<std::uint32_t>(p + 4), start);
    if (instrument == nullptr) return;
    Bar bar{};
    bar.header.ts_event = start;
    bar.vwap = kNoPrice;
    bar.buy_volume = bar.open_interest = kNoSize;
    bar.ts_end = start + interval_ms * 1'000'000ull;
    bar.interval_ms = interval_ms;
    bar.version = 1;
    bar.basis = BarBasis::kTrade;
    const bool fits = Price(p + 16, *instrument, &bar.open) && Price(p + 24, *instrument, &bar.high) && Price(p + 32, *instrument, &bar.low) &&
                      Price(p + 40, *instrument, &bar.close) && Size(ReadLittle<std::uint64_t>(p + 48), *instrument, &bar.volume);
    if (!fits) {
      session_->Count(Reason::kOverflow);
      return session_->EmitLost(*instrument, bar, GapCause::kOverflow);
    }
    session_->Emit(bar, RecordType::kBar, *instrument);
  }

  void Lost(FeedInstrument& instrument, RecordType type, std::uint64_t ts_event) {
    session_->Count(Reason::kOverflow);
    session_->EmitLost(instrument, type, GapCause::kOverflow, ts_event);
  }

  VenueOptions options_;
  Session* session_;
  std::vector<std::uint8_t> carry_;
  std::unordered_map<std::uint32_t, std::vector<Range>> ranges_;
  bool begun_ = false;
  bool dead_ = false;
  bool ts_out_ = false;
  bool tbbo_ = false;
};

}  // namespace

std::unique_ptr<RecordSource> MakeDbnSource(const VenueOptions& options, Session* session) {
  return std::make_unique<DbnSource>(options, session);
}

bool DbnLacksReceiveTimes(std::span<const std::uint8_t> bytes) {
  std::size_t size = 0;
  if (decode::DbnMetadataSize(bytes, &size) != Reason::kNone || bytes.size() < 26) return false;
  const auto schema = ReadLittle<std::uint16_t>(bytes.data() + 24);
  return (schema >= 5 && schema <= 8) || schema == 13;
}

}  // namespace tw::feed
