#include "fanout/command.h"

#include <simdjson.h>

#include <algorithm>

namespace tw::fanout {
namespace {

namespace dom = simdjson::dom;

bool Refuse(CommandError* error, std::string field, std::string message, std::vector<std::string> valid = {}) {
  *error = {std::move(field), std::move(message), std::move(valid)};
  return false;
}

bool IsSymbol(std::string_view text) {
  if (text.empty() || text.size() > 40) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '&' || c == '_' || c == '-';
  });
}

bool TakeUnsigned(const dom::element& value, std::uint64_t least, std::uint64_t most, std::uint32_t* out) {
  std::uint64_t number = 0;
  if (value.get_uint64().get(number) != simdjson::SUCCESS || number < least || number > most) return false;
  *out = static_cast<std::uint32_t>(number);
  return true;
}

bool TakeId(const dom::element& value, std::string* out) {
  std::int64_t number = 0;
  std::string_view text;
  if (value.get_int64().get(number) == simdjson::SUCCESS) {
    *out = std::to_string(number);
    return true;
  }
  if (value.get_string().get(text) != simdjson::SUCCESS || text.size() > 64) return false;
  AppendJsonString(text, out);
  return true;
}

template <class Value>
bool TakeName(const dom::element& value, const std::vector<std::pair<const char*, Value>>& names, Value* out) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return false;
  for (const auto& [name, named] : names) {
    if (text != name) continue;
    *out = named;
    return true;
  }
  return false;
}

template <class Value>
std::vector<std::string> NamesOf(const std::vector<std::pair<const char*, Value>>& names) {
  std::vector<std::string> out;
  for (const auto& [name, value] : names) out.emplace_back(name);
  return out;
}

const std::vector<std::pair<const char*, Op>> kOps = {{"subscribe", Op::kSubscribe}, {"unsubscribe", Op::kUnsubscribe}, {"ping", Op::kPing}, {"stats", Op::kStats}, {"topics", Op::kTopics}};
const std::vector<std::pair<const char*, Format>> kFormats = {{"binary", Format::kBinary}, {"json", Format::kJson}};
const std::vector<std::pair<const char*, Mode>> kModes = {{"all", Mode::kAll}, {"conflate", Mode::kConflate}};
const std::vector<std::pair<const char*, Overflow>> kOverflows = {{"drop", Overflow::kDrop}, {"disconnect", Overflow::kDisconnect}};

bool TakeSymbols(const dom::element& value, Command* out, CommandError* error) {
  const char* kMessage = "a list of symbols, or [\"*\"] for all";
  dom::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS || list.size() == 0) return Refuse(error, "symbols", kMessage, {"*"});
  if (list.size() > kSymbolsMax) return Refuse(error, "symbols", "at most " + std::to_string(kSymbolsMax) + " symbols");
  for (const dom::element item : list) {
    std::string_view symbol;
    if (item.get_string().get(symbol) != simdjson::SUCCESS) return Refuse(error, "symbols", kMessage, {"*"});
    if (symbol == "*" && list.size() == 1) return true;
    if (!IsSymbol(symbol)) return Refuse(error, "symbols", "a symbol has 1 to 40 of A-Z 0-9 . & _ -, and * stands alone");
    out->symbols.emplace_back(symbol);
  }
  std::sort(out->symbols.begin(), out->symbols.end());
  out->symbols.erase(std::unique(out->symbols.begin(), out->symbols.end()), out->symbols.end());
  return true;
}

bool TakeIntervals(const dom::element& value, Command* out, CommandError* error) {
  const std::vector<std::string> valid = {"1s", "5s", "1m", "3m", "5m", "15m", "30m", "1h", "4h", "1d"};
  dom::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS || list.size() == 0 || list.size() > 32) {
    return Refuse(error, "intervals", "a list of bar intervals", valid);
  }
  for (const dom::element item : list) {
    std::string_view text;
    const std::uint32_t interval = item.get_string().get(text) == simdjson::SUCCESS ? ParseInterval(text) : 0;
    if (interval == 0) return Refuse(error, "intervals", "not a bar interval", valid);
    out->intervals_ms.push_back(interval);
  }
  std::sort(out->intervals_ms.begin(), out->intervals_ms.end());
  out->intervals_ms.erase(std::unique(out->intervals_ms.begin(), out->intervals_ms.end()), out->intervals_ms.end());
  return true;
}

const std::vector<std::string>& FieldsOf(Op op) {
  static const std::vector<std::string> kSubscribe = {"op", "id", "topic", "symbols", "format", "mode", "intervalMs", "overflow", "intervals", "last", "snapshot"};
  static const std::vector<std::string> kUnsubscribe = {"op", "id", "subscription"};
  static const std::vector<std::string> kStats = {"op", "id", "streams"};
  static const std::vector<std::string> kOther = {"op", "id"};
  return op == Op::kSubscribe ? kSubscribe : op == Op::kUnsubscribe ? kUnsubscribe : op == Op::kStats ? kStats : kOther;
}

bool TakeField(std::string_view name, const dom::element& value, Command* out, CommandError* error) {
  if (name == "topic") {
    std::string_view topic;
    if (value.get_string().get(topic) != simdjson::SUCCESS || topic.size() > 200) return Refuse(error, "topic", "a topic's name");
    out->topic = topic;
    return true;
  }
  if (name == "symbols") return TakeSymbols(value, out, error);
  if (name == "intervals") return TakeIntervals(value, out, error);
  if (name == "format") return TakeName(value, kFormats, &out->format) || Refuse(error, "format", "not a format", NamesOf(kFormats));
  if (name == "mode") return TakeName(value, kModes, &out->mode) || Refuse(error, "mode", "not a mode", NamesOf(kModes));
  if (name == "overflow") return TakeName(value, kOverflows, &out->overflow) || Refuse(error, "overflow", "not a policy", NamesOf(kOverflows));
  if (name == "intervalMs") {
    return TakeUnsigned(value, 0, 60000, &out->interval_ms) || Refuse(error, "intervalMs", "a whole number of milliseconds", {"0", "10…60000"});
  }
  if (name == "last") return TakeUnsigned(value, 1, 10000, &out->last) || Refuse(error, "last", "a whole number of bars", {"1…10000"});
  if (name == "subscription") {
    return TakeUnsigned(value, 1, 65535, &out->subscription) || Refuse(error, "subscription", "the number that subscribe answered", {"1…65535"});
  }
  bool* flag = name == "snapshot" ? &out->snapshot : &out->streams;
  return value.get_bool().get(*flag) == simdjson::SUCCESS || Refuse(error, std::string(name), "true or false", {"true", "false"});
}

}  // namespace

std::uint32_t ParseInterval(std::string_view text) {
  std::uint32_t number = 0;
  std::size_t i = 0;
  for (; i < text.size() && i < 4 && text[i] >= '0' && text[i] <= '9'; ++i) number = number * 10 + static_cast<std::uint32_t>(text[i] - '0');
  if (i == 0 || i + 1 != text.size() || number == 0) return 0;
  const char unit = text[i];
  const std::uint64_t scale = unit == 's' ? 1000 : unit == 'm' ? 60'000 : unit == 'h' ? 3'600'000 : unit == 'd' ? 86'400'000 : 0;
  const std::uint64_t ms = number * scale;
  return ms <= 7 * 86'400'000ull ? static_cast<std::uint32_t>(ms) : 0;
}

void AppendJsonString(std::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr char kHex[] = "0123456789abcdef";
      *out += "\\u00";
      out->push_back(kHex[c >> 4 & 15]);
      out->push_back(kHex[c & 15]);
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

bool ParseCommand(std::string_view text, Command* out, CommandError* error) {
  static thread_local dom::parser parser;
  dom::element root;
  dom::object object;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS || root.get_object().get(object) != simdjson::SUCCESS) {
    return Refuse(error, "", "a control message is one JSON object");
  }
  dom::element value;
  if (object.at_key("id").get(value) == simdjson::SUCCESS && !TakeId(value, &out->id)) {
    return Refuse(error, "id", "an integer, or text of at most 64 bytes");
  }
  if (object.at_key("op").get(value) != simdjson::SUCCESS || !TakeName(value, kOps, &out->op)) return Refuse(error, "op", "not an op", NamesOf(kOps));
  const auto& fields = FieldsOf(out->op);
  std::uint32_t seen = 0;
  for (const auto& field : object) {
    const auto known = std::find(fields.begin(), fields.end(), field.key);
    if (known == fields.end()) return Refuse(error, std::string(field.key.substr(0, 64)), "no such field", fields);
    const std::uint32_t bit = 1u << (known - fields.begin());
    if ((seen & bit) != 0) return Refuse(error, *known, "given twice");
    seen |= bit;
    if (*known == "op" || *known == "id") continue;
    if (!TakeField(*known, field.value, out, error)) return false;
  }
  if (out->op == Op::kSubscribe) {
    if (out->topic.empty()) return Refuse(error, "topic", "a topic's name");
    if (out->interval_ms != 0 && out->interval_ms < 10) return Refuse(error, "intervalMs", "a whole number of milliseconds", {"0", "10…60000"});
    if (out->interval_ms != 0 && out->mode == Mode::kAll) return Refuse(error, "intervalMs", "only with mode conflate", {"0"});
    if (out->overflow == Overflow::kDisconnect && out->mode == Mode::kConflate) return Refuse(error, "overflow", "only with mode all");
  }
  if (out->op == Op::kUnsubscribe && out->subscription == 0) return Refuse(error, "subscription", "the number that subscribe answered", {"1…65535"});
  return true;
}

}  // namespace tw::fanout
