#include "decode/csv_program.h"

#include <simdjson.h>

#include <algorithm>
#include <map>

#include "decode/csv_time.h"
#include "model/decimal.h"

namespace tw::decode {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kFilterDepthMax = 8;

constexpr std::pair<std::string_view, CsvField> kFieldNames[] = {
    {"price", CsvField::kPrice},         {"size", CsvField::kSize},          {"side", CsvField::kSide},
    {"trade_id", CsvField::kTradeId},    {"conditions", CsvField::kConditions}, {"bid", CsvField::kBid},
    {"ask", CsvField::kAsk},             {"bid_size", CsvField::kBidSize},   {"ask_size", CsvField::kAskSize},
    {"open", CsvField::kOpen},           {"high", CsvField::kHigh},          {"low", CsvField::kLow},
    {"close", CsvField::kClose},         {"volume", CsvField::kVolume},      {"bid_open", CsvField::kBidOpen},
    {"bid_high", CsvField::kBidHigh},    {"bid_low", CsvField::kBidLow},     {"bid_close", CsvField::kBidClose},
    {"ask_open", CsvField::kAskOpen},    {"ask_high", CsvField::kAskHigh},   {"ask_low", CsvField::kAskLow},
    {"ask_close", CsvField::kAskClose}};

// Every read names what is wrong; the first one stands.
class Reader {
 public:
  explicit Reader(std::string* error) : error_(error) {}

  bool Fail(std::string_view what) {
    if (error_->empty()) error_->assign(what);
    return false;
  }
  bool Column(dom::element value, CsvColumn* out) {
    std::int64_t index = 0;
    std::string_view name;
    if (value.get(index) == simdjson::SUCCESS) {
      if (index < 0 || index >= 1024) return Fail("a column's position is from 0 to 1023");
      out->index = static_cast<int>(index);
      return true;
    }
    if (value.get(name) != simdjson::SUCCESS || name.empty()) return Fail("a column is a position or a name");
    out->name = name;
    return true;
  }
  bool Value(dom::element value, CsvValue* out) {
    dom::object object;
    if (value.get(object) != simdjson::SUCCESS) return Fail("a field is an object");
    dom::element column;
    if (object["column"].get(column) != simdjson::SUCCESS) return Fail("a field has a column");
    if (!Column(column, out)) return false;
    const std::int64_t scale = Integer(object, "scale", 0);
    if (scale < -18 || scale > 18) return Fail("a scale is from -18 to 18");
    out->scale = static_cast<int>(scale);
    out->round = Flag(object, "round");
    out->zero_is_none = Flag(object, "zeroIsNone");
    out->hex = Flag(object, "hex");
    return true;
  }
  bool Texts(dom::element value, std::vector<std::string>* out) {
    dom::array list;
    if (value.get(list) != simdjson::SUCCESS) return Fail("expected a list of texts");
    for (const dom::element item : list) {
      std::string_view text;
      if (item.get(text) != simdjson::SUCCESS) return Fail("expected a list of texts");
      out->emplace_back(text);
    }
    return true;
  }
  bool Filter(dom::element value, CsvFilter* out, std::size_t depth) {
    dom::object object;
    if (depth > kFilterDepthMax || value.get(object) != simdjson::SUCCESS) return Fail("a filter is an object, at most 8 deep");
    for (const auto& [name, op] : {std::pair{"all", CsvFilter::Op::kAll}, std::pair{"any", CsvFilter::Op::kAny}}) {
      dom::array parts;
      if (object[name].get(parts) != simdjson::SUCCESS) continue;
      out->op = op;
      for (const dom::element part : parts) {
        if (!Filter(part, &out->parts.emplace_back(), depth + 1)) return false;
      }
      return true;
    }
    dom::element column;
    if (object["column"].get(column) != simdjson::SUCCESS || !Column(column, &out->column)) return Fail("a filter has a column");
    static const std::map<std::string, CsvFilter::Op, std::less<>> kOps = {
        {"eq", CsvFilter::Op::kEqual},       {"ne", CsvFilter::Op::kNotEqual}, {"lt", CsvFilter::Op::kLess},
        {"le", CsvFilter::Op::kLessOrEqual}, {"gt", CsvFilter::Op::kMore},     {"ge", CsvFilter::Op::kMoreOrEqual},
        {"in", CsvFilter::Op::kIn}};
    const auto op = kOps.find(Text(object, "op"));
    if (op == kOps.end()) return Fail("a filter's op is eq, ne, lt, le, gt, ge or in");
    out->op = op->second;
    dom::element values;
    return object["values"].get(values) == simdjson::SUCCESS ? Texts(values, &out->values) : Fail("a filter has values");
  }
  bool Time(dom::element value, CsvTime* out) {
    dom::object object;
    dom::array columns;
    if (value.get(object) != simdjson::SUCCESS || object["columns"].get(columns) != simdjson::SUCCESS) return Fail("time has columns");
    for (const dom::element column : columns) {
      if (!Column(column, &out->columns.emplace_back())) return false;
    }
    if (out->columns.empty() || out->columns.size() > 4) return Fail("time has one to four columns");
    out->format = Text(object, "format");
    const std::int64_t unit = Integer(object, "unitExponent", 0);
    if (unit != 0 && unit != -3 && unit != -6 && unit != -9) return Fail("a time's unit exponent is 0, -3, -6 or -9");
    out->unit_exponent = static_cast<int>(unit);
    out->since_midnight = Flag(object, "sinceMidnight");
    const std::int64_t days = Integer(object, "dateDays", 0);
    if (days < -25'567 || days > 84'370) return Fail("a date is from 1900 to 2200");
    out->date_days = days;
    dom::element date_column;
    if (object["dateColumn"].get(date_column) == simdjson::SUCCESS && !Column(date_column, &out->date_column)) return false;
    out->date_format = Text(object, "dateFormat");
    return Zone(object, &out->zone);
  }
  bool Zone(dom::object object, TimeZone* out) {
    dom::array list;
    if (object["zone"].get(list) != simdjson::SUCCESS) return true;
    std::vector<TimeZone::Transition> transitions;
    for (const dom::element item : list) {
      dom::array pair;
      std::int64_t utc_s = 0, offset_s = 0;
      if (item.get(pair) != simdjson::SUCCESS || pair.at(0).get(utc_s) != simdjson::SUCCESS || pair.at(1).get(offset_s) != simdjson::SUCCESS ||
          offset_s < -86'400 || offset_s > 86'400 || utc_s < -10'000'000'000 || utc_s > 10'000'000'000) {
        return Fail("a zone is a list of [utc seconds, offset seconds]");
      }
      if (!transitions.empty() && transitions.back().utc_s >= utc_s) return Fail("a zone's transitions rise");
      transitions.push_back({utc_s, static_cast<std::int32_t>(offset_s)});
    }
    *out = TimeZone(std::move(transitions));
    return true;
  }
  static std::string Text(dom::object object, const char* name) {
    std::string_view text;
    return object[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
  }
  static std::int64_t Integer(dom::object object, const char* name, std::int64_t otherwise) {
    std::int64_t value = 0;
    return object[name].get(value) == simdjson::SUCCESS ? value : otherwise;
  }
  static bool Flag(dom::object object, const char* name) {
    bool value = false;
    return object[name].get(value) == simdjson::SUCCESS && value;
  }

 private:
  std::string* error_;
};

bool HasFields(const CsvProgram& p, std::initializer_list<CsvField> fields) {
  return std::all_of(fields.begin(), fields.end(), [&](CsvField f) { return p.field(f).declared(); });
}

bool CheckFields(const CsvProgram& p, Reader* read) {
  using F = CsvField;
  switch (p.kind) {
    case CsvKind::kTrade: return HasFields(p, {F::kPrice, F::kSize}) || read->Fail("a trade has price and size");
    case CsvKind::kQuote: return HasFields(p, {F::kBid, F::kAsk}) || read->Fail("a quote has bid and ask");
    case CsvKind::kBar: return HasFields(p, {F::kOpen, F::kHigh, F::kLow, F::kClose}) || read->Fail("a bar has open, high, low and close");
    case CsvKind::kQuoteBar:
      return HasFields(p, {F::kBidOpen, F::kBidHigh, F::kBidLow, F::kBidClose, F::kAskOpen, F::kAskHigh, F::kAskLow, F::kAskClose}) ||
             read->Fail("a quote bar has bid and ask open, high, low and close");
  }
  return false;
}

// Sign of a - b, exactly.
int Compare(Decimal a, Decimal b) {
  const int shift = a.exponent - b.exponent;
  if (shift < 0) return -Compare(b, a);
  if (shift > 18) return a.mantissa == 0 ? (b.mantissa > 0 ? -1 : b.mantissa < 0) : (a.mantissa > 0 ? 1 : -1);
  __int128 left = a.mantissa;
  for (int i = 0; i < shift; ++i) left *= 10;
  return left > b.mantissa ? 1 : left < b.mantissa ? -1 : 0;
}

bool Equal(std::string_view a, std::string_view b) {
  if (a == b) return true;
  Decimal x, y;
  return ParseDecimal(a, &x) && ParseDecimal(b, &y) && Compare(x, y) == 0;
}

bool Resolve(const std::vector<std::string_view>& header, CsvColumn* column) {
  if (column->name.empty() || column->index >= 0) return true;
  const auto found = std::find(header.begin(), header.end(), column->name);
  if (found == header.end()) return false;
  column->index = static_cast<int>(found - header.begin());
  return true;
}

bool ResolveFilter(const std::vector<std::string_view>& header, CsvFilter* filter, std::string* missing) {
  if (!Resolve(header, &filter->column)) *missing = filter->column.name;
  for (CsvFilter& part : filter->parts) ResolveFilter(header, &part, missing);
  return missing->empty();
}

}  // namespace

bool ParseCsvProgram(std::string_view json, CsvProgram* out, std::string* error) {
  error->clear();
  Reader read(error);
  dom::parser parser;
  dom::object root;
  const simdjson::padded_string padded(json);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) return read.Fail("a CSV program is a JSON object");
  const std::string kind = Reader::Text(root, "kind");
  if (kind == "trade") out->kind = CsvKind::kTrade;
  else if (kind == "quote") out->kind = CsvKind::kQuote;
  else if (kind == "bar") out->kind = CsvKind::kBar;
  else if (kind == "quote_bar") out->kind = CsvKind::kQuoteBar;
  else return read.Fail("kind is trade, quote, bar or quote_bar");
  const std::string delimiter = Reader::Text(root, "delimiter");
  if (delimiter.size() > 1 || delimiter == "\"" || delimiter == "\n" || delimiter == "\r") return read.Fail("a delimiter is one other byte");
  if (!delimiter.empty()) out->delimiter = delimiter[0];
  out->header = Reader::Flag(root, "header");
  out->symbol = Reader::Text(root, "symbol");
  dom::element element;
  if (root["symbolColumn"].get(element) == simdjson::SUCCESS && !read.Column(element, &out->symbol_column)) return false;
  if (out->symbol.empty() && !out->symbol_column.declared()) return read.Fail("a symbol is given, or a column of symbols");
  if (root["time"].get(element) != simdjson::SUCCESS || !read.Time(element, &out->time)) return read.Fail("time is missing");
  dom::object fields;
  if (root["fields"].get(fields) != simdjson::SUCCESS) return read.Fail("fields are missing");
  for (const auto field : fields) {
    const auto* known = std::find_if(std::begin(kFieldNames), std::end(kFieldNames), [&](const auto& f) { return f.first == field.key; });
    if (known == std::end(kFieldNames)) return read.Fail("unknown field " + std::string(field.key.substr(0, 40)));
    if (!read.Value(field.value, &out->fields[static_cast<std::size_t>(known->second)])) return false;
  }
  if (root["filter"].get(element) == simdjson::SUCCESS && !read.Filter(element, &out->filter, 0)) return false;
  if (root["buy"].get(element) == simdjson::SUCCESS && !read.Texts(element, &out->buy_values)) return false;
  if (root["sell"].get(element) == simdjson::SUCCESS && !read.Texts(element, &out->sell_values)) return false;
  const std::int64_t interval = Reader::Integer(root, "intervalMs", 0);
  if (interval < 0 || interval > 31'622'400'000ll / 10) return read.Fail("an interval is at most a month");
  out->interval_ms = static_cast<std::uint32_t>(interval);
  const bool bars = out->kind == CsvKind::kBar || out->kind == CsvKind::kQuoteBar;
  if (bars && interval == 0) return read.Fail("bars have an interval");
  const std::string basis = Reader::Text(root, "basis");
  if (basis == "bid") out->basis = BarBasis::kBid;
  else if (basis == "ask") out->basis = BarBasis::kAsk;
  else if (basis == "mid") out->basis = BarBasis::kMid;
  else if (!basis.empty() && basis != "trade") return read.Fail("a basis is trade, bid, ask or mid");
  return CheckFields(*out, &read);
}

std::string ResolveCsvHeader(const std::vector<std::string_view>& header, CsvProgram* program) {
  std::string missing;
  const auto resolve = [&](CsvColumn* column) {
    if (missing.empty() && !Resolve(header, column)) missing = column->name;
  };
  for (CsvValue& value : program->fields) resolve(&value);
  for (CsvColumn& column : program->time.columns) resolve(&column);
  resolve(&program->time.date_column);
  resolve(&program->symbol_column);
  ResolveFilter(header, &program->filter, &missing);
  return missing;
}

bool PassesCsvFilter(const CsvFilter& filter, const std::vector<std::string_view>& row) {
  using Op = CsvFilter::Op;
  const auto passes = [&](const CsvFilter& part) { return PassesCsvFilter(part, row); };
  if (filter.op == Op::kAll) return std::all_of(filter.parts.begin(), filter.parts.end(), passes);
  if (filter.op == Op::kAny) return std::any_of(filter.parts.begin(), filter.parts.end(), passes);
  if (filter.column.index < 0 || static_cast<std::size_t>(filter.column.index) >= row.size()) return false;
  const std::string_view text = row[static_cast<std::size_t>(filter.column.index)];
  const auto equals = [&](const std::string& value) { return Equal(text, value); };
  const bool any = std::any_of(filter.values.begin(), filter.values.end(), equals);
  if (filter.op == Op::kEqual || filter.op == Op::kIn) return any;
  if (filter.op == Op::kNotEqual) return !any;
  Decimal left, right;
  if (filter.values.empty() || !ParseDecimal(text, &left) || !ParseDecimal(filter.values[0], &right)) return false;
  const int sign = Compare(left, right);
  switch (filter.op) {
    case Op::kLess: return sign < 0;
    case Op::kLessOrEqual: return sign <= 0;
    case Op::kMore: return sign > 0;
    default: return sign >= 0;
  }
}

}  // namespace tw::decode
