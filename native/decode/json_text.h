// Little JSON writers for describe: exact integers, escaped strings, doubles that read back as themselves.
#pragma once
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace tw::decode {

template <class Int>
inline void AppendInteger(Int value, std::string* out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out->append(digits, end);
}

// A JSON reader in JavaScript loses integers above 2^53: those are text.
template <class Int>
inline void AppendSafeInteger(Int value, std::string* out) {
  constexpr std::int64_t kSafe = 9'007'199'254'740'991;
  bool safe;
  if constexpr (std::is_signed_v<Int>) {
    safe = static_cast<std::int64_t>(value) <= kSafe && static_cast<std::int64_t>(value) >= -kSafe;
  } else {
    safe = static_cast<std::uint64_t>(value) <= static_cast<std::uint64_t>(kSafe);
  }
  if (!safe) out->push_back('"');
  AppendInteger(value, out);
  if (!safe) out->push_back('"');
}

// A float as the double it is, so that nothing is hidden; NaN and infinities are null.
inline void AppendExactFloat(float value, std::string* out) {
  if (!std::isfinite(value)) {
    out->append("null");
    return;
  }
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, static_cast<double>(value)).ptr;
  out->append(digits, end);
}

// Bytes above 0x7f are taken as Latin-1: any bytes become valid JSON.
inline void AppendText(std::string_view text, std::string* out) {
  constexpr char kHex[] = "0123456789abcdef";
  out->push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '"' || byte == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (byte < 0x20 || byte >= 0x7f) {
      out->append("\\u00");
      out->push_back(kHex[byte >> 4]);
      out->push_back(kHex[byte & 15]);
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

// Writes {"name":value,...} in the order of the calls.
class JsonObject {
 public:
  explicit JsonObject(std::string* out) : out_(out) { out_->push_back('{'); }
  template <class Int>
  JsonObject& Number(std::string_view name, Int value) {
    Name(name);
    AppendSafeInteger(value, out_);
    return *this;
  }
  JsonObject& Float(std::string_view name, float value) {
    Name(name);
    AppendExactFloat(value, out_);
    return *this;
  }
  JsonObject& Text(std::string_view name, std::string_view value) {
    Name(name);
    AppendText(value, out_);
    return *this;
  }
  // The value is written by the caller next.
  void Name(std::string_view name) {
    if (!first_) out_->push_back(',');
    first_ = false;
    out_->push_back('"');
    out_->append(name);
    out_->append("\":");
  }
  void End() { out_->push_back('}'); }

 private:
  std::string* out_;
  bool first_ = true;
};

}  // namespace tw::decode
