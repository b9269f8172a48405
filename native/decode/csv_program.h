// What the columns of a CSV file mean: compiled in TypeScript (src/ingestion/csv-options.ts) from a declaration in
// config/venues, handed over as compact JSON, checked once here.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/record.h"
#include "model/time_zone.h"

namespace tw::decode {

enum class CsvKind : std::uint8_t { kTrade, kQuote, kBar, kQuoteBar };

enum class CsvField : std::uint8_t {
  kPrice, kSize, kSide, kTradeId, kConditions,
  kBid, kAsk, kBidSize, kAskSize,
  kOpen, kHigh, kLow, kClose, kVolume,
  kBidOpen, kBidHigh, kBidLow, kBidClose,
  kAskOpen, kAskHigh, kAskLow, kAskClose,
  kCount
};
inline constexpr std::size_t kCsvFieldCount = static_cast<std::size_t>(CsvField::kCount);

// A column by position, or by its name in the header.
struct CsvColumn {
  int index = -1;  // -1: not there (or not resolved yet).
  std::string name;
  bool declared() const { return index >= 0 || !name.empty(); }
};

struct CsvValue : CsvColumn {
  int scale = 0;              // The text is an integer of 10^-scale.
  bool round = false;         // To the instrument's exponent, half to even; else what does not fit is refused.
  bool zero_is_none = false;  // 0 and an empty text are no value.
  bool hex = false;
};

struct CsvFilter {
  enum class Op : std::uint8_t { kAll, kAny, kEqual, kNotEqual, kLess, kLessOrEqual, kMore, kMoreOrEqual, kIn };
  Op op = Op::kAll;
  CsvColumn column;
  std::vector<std::string> values;  // One, except with kIn.
  std::vector<CsvFilter> parts;     // Of kAll and kAny.
};

struct CsvTime {
  std::vector<CsvColumn> columns;  // Joined by one space, for `format`; the first alone for units.
  std::string format;              // Empty: units.
  int unit_exponent = 0;           // 0 s, -3 ms, -6 us, -9 ns.
  bool since_midnight = false;     // Of `date_days`, or of the date column.
  std::int64_t date_days = 0;
  CsvColumn date_column;
  std::string date_format;
  TimeZone zone;  // Of the text's clock, unless the format says it (%z) or it is an epoch.
};

struct CsvProgram {
  CsvKind kind = CsvKind::kTrade;
  char delimiter = ',';
  bool header = false;
  std::array<CsvValue, kCsvFieldCount> fields;
  CsvTime time;
  CsvFilter filter;  // No parts: everything passes.
  std::string symbol;        // Of the whole file…
  CsvColumn symbol_column;   // …or of each row.
  std::vector<std::string> buy_values;
  std::vector<std::string> sell_values;
  std::uint32_t interval_ms = 0;  // Of bars.
  BarBasis basis = BarBasis::kTrade;

  const CsvValue& field(CsvField f) const { return fields[static_cast<std::size_t>(f)]; }
};

// False: *error says what is wrong with it.
bool ParseCsvProgram(std::string_view json, CsvProgram* out, std::string* error);

// Names become positions. Returns the first name that the header does not have; empty: all were found.
std::string ResolveCsvHeader(const std::vector<std::string_view>& header, CsvProgram* program);

// A missing column does not pass.
bool PassesCsvFilter(const CsvFilter& filter, const std::vector<std::string_view>& row);

}  // namespace tw::decode
