#include "feed/csv_source.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <charconv>

#include "decode/csv.h"
#include "decode/csv_program.h"
#include "decode/csv_time.h"
#include "feed/scale.h"
#include "feed/symbol.h"

namespace tw::feed {
namespace {

using decode::CsvColumn;
using decode::CsvField;
using decode::CsvKind;
using decode::CsvProgram;
using decode::CsvValue;
using Row = std::vector<std::string_view>;

constexpr std::size_t kNumberTextMax = 128;

class CsvSource : public RecordSource {
 public:
  CsvSource(CsvProgram program, Session* session)
      : program_(std::move(program)), session_(session), rows_(program_.delimiter), header_due_(program_.header) {}

  void Feed(std::span<const std::uint8_t> chunk, bool last) override {
    if (dead_) return;
    rows_.Feed(
        chunk, last, [this](std::string_view row) { OnRow(row); }, [this](Reason reason) { session_->Count(reason); });
  }

 private:
  void OnRow(std::string_view text) {
    if (dead_) return;
    if (first_row_ && text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    first_row_ = false;
    if (text.empty()) return;
    decode::SplitCsvRow(text, program_.delimiter, &scratch_, &row_);
    if (header_due_) {
      header_due_ = false;
      dead_ = !decode::ResolveCsvHeader(row_, &program_).empty();
      if (dead_) session_->Count(Reason::kUnknownType);
      return;
    }
    session_->BeginFrame(0);
    if (!decode::PassesCsvFilter(program_.filter, row_)) return session_->Count(Reason::kFiltered);
    std::uint64_t ts_event = 0;
    if (const Reason reason = Time(&ts_event); reason != Reason::kNone) return session_->Count(reason);
    FeedInstrument* instrument = Find();
    if (instrument == nullptr) return;
    reason_ = Reason::kNone;
    switch (program_.kind) {
      case CsvKind::kTrade: return OnTrade(ts_event, *instrument);
      case CsvKind::kQuote: return OnQuote(ts_event, *instrument);
      case CsvKind::kBar: return OnBar(ts_event, *instrument);
      case CsvKind::kQuoteBar: return OnQuoteBar(ts_event, *instrument);
    }
  }

  // Null data: the row has no such column.
  std::string_view Text(const CsvColumn& column) const {
    if (column.index < 0 || static_cast<std::size_t>(column.index) >= row_.size()) return {};
    const std::string_view text = row_[static_cast<std::size_t>(column.index)];
    return text.data() == nullptr ? std::string_view("") : text;
  }

  Reason Time(std::uint64_t* out) {
    const decode::CsvTime& time = program_.time;
    std::int64_t ns = 0;
    bool utc = false;
    if (!time.format.empty()) {
      joined_.clear();
      for (const CsvColumn& column : time.columns) {
        const std::string_view part = Text(column);
        if (part.data() == nullptr) return Reason::kTruncated;
        if (!joined_.empty()) joined_.push_back(' ');
        joined_.append(part.substr(0, kNumberTextMax));
      }
      if (!decode::ParseTime(joined_, time.format, &ns, &utc)) return Reason::kBadTime;
    } else {
      const std::string_view text = Text(time.columns.front());
      if (text.data() == nullptr) return Reason::kTruncated;
      if (!decode::ParseUnits(text, time.unit_exponent, &ns)) return Reason::kBadTime;
      utc = !time.since_midnight;
      if (time.since_midnight) {
        if (ns < 0 || ns > 2 * kNsPerDay) return Reason::kBadTime;
        std::int64_t day_ns = time.date_days * kNsPerDay;
        if (time.date_column.declared()) {
          bool zone = false;
          if (!decode::ParseTime(Text(time.date_column), time.date_format, &day_ns, &zone)) return Reason::kBadTime;
        }
        ns += day_ns;
      }
    }
    if (!utc) ns = time.zone.LocalToUtcNs(ns);
    if (ns <= 0 || !PlausibleNs(static_cast<std::uint64_t>(ns))) return Reason::kBadTime;
    *out = static_cast<std::uint64_t>(ns);
    return Reason::kNone;
  }

  FeedInstrument* Find() {
    const bool by_row = program_.symbol_column.declared();
    const std::string_view name = by_row ? Text(program_.symbol_column) : std::string_view(program_.symbol);
    if (last_instrument_ != nullptr && name == last_symbol_) return last_instrument_;
    const std::string symbol = SymbolOf(name);
    if (symbol.empty()) {
      session_->Count(Reason::kBadSymbol);
      return nullptr;
    }
    FeedInstrument* found = session_->FindSymbol(symbol);
    if (found != nullptr) {
      last_instrument_ = found;
      last_symbol_ = name;
    }
    return found;
  }

  // False: reason_ says why. A field that is not declared, or told as nothing, is kNoPrice.
  bool Value(CsvField field, int exponent, std::int64_t* out) {
    *out = kNoPrice;
    const CsvValue& value = program_.field(field);
    if (!value.declared()) return true;
    const std::string_view text = Text(value);
    if (text.data() == nullptr) return Refuse(Reason::kTruncated);
    if (text.empty() && value.zero_is_none) return true;
    Decimal decimal;
    if (text.size() > kNumberTextMax || !ParseDecimal(text, &decimal)) return Refuse(Reason::kBadNumber);
    if (decimal.mantissa == 0 && value.zero_is_none) return true;
    decimal.exponent -= value.scale;
    const bool fits = value.round ? ScaleRounded(decimal, exponent, out) : Rescale(decimal, exponent, out);
    return fits || Refuse(Reason::kOverflow);
  }
  bool Price(CsvField field, const FeedInstrument& i, std::int64_t* out) { return Value(field, i.instrument->price_exponent, out); }
  // A size that is not told is 0.
  bool Size(CsvField field, const FeedInstrument& i, std::int64_t* out) {
    if (!Value(field, i.instrument->size_exponent, out)) return false;
    if (*out == kNoSize) *out = 0;
    return *out >= 0 || Refuse(Reason::kBadNumber);
  }
  bool Refuse(Reason reason) {
    reason_ = reason;
    return false;
  }
  void Refused(FeedInstrument& instrument, RecordType type, std::uint64_t ts_event) {
    session_->Count(reason_);
    if (reason_ == Reason::kOverflow) session_->EmitLost(instrument, type, GapCause::kOverflow, ts_event);
  }

  void OnTrade(std::uint64_t ts_event, FeedInstrument& instrument) {
    Trade trade{};
    trade.header.ts_event = ts_event;
    trade.fills = 1;
    if (!Price(CsvField::kPrice, instrument, &trade.price) || !Size(CsvField::kSize, instrument, &trade.size)) {
      return Refused(instrument, RecordType::kTrade, ts_event);
    }
    if (trade.price == kNoPrice) return session_->Count(Reason::kBadNumber);
    if (const std::string_view side = Text(program_.field(CsvField::kSide)); side.data() != nullptr) {
      if (std::find(program_.buy_values.begin(), program_.buy_values.end(), side) != program_.buy_values.end()) trade.side = Side::kBuy;
      else if (std::find(program_.sell_values.begin(), program_.sell_values.end(), side) != program_.sell_values.end()) trade.side = Side::kSell;
    }
    const CsvValue& conditions = program_.field(CsvField::kConditions);
    if (const std::string_view text = Text(conditions); text.data() != nullptr) {
      std::uint64_t bits = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits, conditions.hex ? 16 : 10);
      if (error == std::errc() && end == text.data() + text.size() && bits <= UINT32_MAX) trade.conditions = static_cast<std::uint32_t>(bits);
    }
    if (const std::string_view text = Text(program_.field(CsvField::kTradeId)); text.data() != nullptr && !text.empty()) {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), trade.trade_id);
      if (error != std::errc() || end != text.data() + text.size()) trade.trade_id = XXH64(text.data(), text.size(), 0);
    }
    session_->Emit(trade, RecordType::kTrade, instrument);
  }

  void OnQuote(std::uint64_t ts_event, FeedInstrument& instrument) {
    Quote quote{};
    quote.header.ts_event = ts_event;
    const bool whole = Price(CsvField::kBid, instrument, &quote.bid_price) && Price(CsvField::kAsk, instrument, &quote.ask_price) &&
                       Size(CsvField::kBidSize, instrument, &quote.bid_size) && Size(CsvField::kAskSize, instrument, &quote.ask_size);
    if (!whole) return Refused(instrument, RecordType::kQuote, ts_event);
    session_->Emit(quote, RecordType::kQuote, instrument);
  }

  void OnBar(std::uint64_t ts_event, FeedInstrument& instrument) {
    EmitBar(ts_event, instrument, program_.basis,
            {CsvField::kOpen, CsvField::kHigh, CsvField::kLow, CsvField::kClose, CsvField::kVolume});
  }
  void OnQuoteBar(std::uint64_t ts_event, FeedInstrument& instrument) {
    // The sizes of a quote bar are those of its last quote, not a volume.
    EmitBar(ts_event, instrument, BarBasis::kBid,
            {CsvField::kBidOpen, CsvField::kBidHigh, CsvField::kBidLow, CsvField::kBidClose, CsvField::kCount});
    EmitBar(ts_event, instrument, BarBasis::kAsk,
            {CsvField::kAskOpen, CsvField::kAskHigh, CsvField::kAskLow, CsvField::kAskClose, CsvField::kCount});
  }

  struct BarFields {
    CsvField open, high, low, close, volume;
  };
  void EmitBar(std::uint64_t start, FeedInstrument& instrument, BarBasis basis, const BarFields& fields) {
    Bar bar{};
    bar.header.ts_event = start;
    bar.vwap = kNoPrice;
    bar.buy_volume = bar.open_interest = kNoSize;
    bar.interval_ms = program_.interval_ms;
    bar.ts_end = start + bar.interval_ms * 1'000'000ull;
    bar.version = 1;
    bar.basis = basis;
    bool whole = Price(fields.open, instrument, &bar.open) && Price(fields.high, instrument, &bar.high) &&
                 Price(fields.low, instrument, &bar.low) && Price(fields.close, instrument, &bar.close);
    if (whole && fields.volume != CsvField::kCount) whole = Size(fields.volume, instrument, &bar.volume);
    if (!whole) {
      session_->Count(reason_);
      if (reason_ == Reason::kOverflow) session_->EmitLost(instrument, bar, GapCause::kOverflow);
    } else if (bar.open != kNoPrice && bar.high != kNoPrice && bar.low != kNoPrice && bar.close != kNoPrice) {
      session_->Emit(bar, RecordType::kBar, instrument);
    }
  }

  CsvProgram program_;
  Session* session_;
  decode::CsvRows rows_;
  Row row_;
  std::string scratch_;
  std::string joined_;
  std::string last_symbol_;
  FeedInstrument* last_instrument_ = nullptr;
  Reason reason_ = Reason::kNone;
  bool header_due_;
  bool first_row_ = true;
  bool dead_ = false;
};

}  // namespace

std::unique_ptr<RecordSource> MakeCsvSource(std::string_view program_json, Session* session, std::string* error) {
  CsvProgram program;
  if (!decode::ParseCsvProgram(program_json, &program, error)) return nullptr;
  return std::make_unique<CsvSource>(std::move(program), session);
}

}  // namespace tw::feed
