// What the general parsers of the JSON venues share: a padded copy of the frame and small reads from ondemand values.
#pragma once
// Without its throwing half: an error that is overlooked then does not compile.
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include "decode/json_scanner.h"

namespace tw::decode {

namespace od = simdjson::ondemand;

class JsonDocument {
 public:
  // Copies the frame and opens it as one object. False: too long, or not an object.
  bool Open(std::span<const std::uint8_t> frame, od::object* object) {
    if (frame.empty() || frame.size() > kFrameMax) return false;
    if (buffer_.size() < frame.size() + simdjson::SIMDJSON_PADDING) buffer_.resize(frame.size() * 2 + simdjson::SIMDJSON_PADDING);
    std::memcpy(buffer_.data(), frame.data(), frame.size());
    std::memset(buffer_.data() + frame.size(), ' ', simdjson::SIMDJSON_PADDING);
    const simdjson::padded_string_view text(buffer_.data(), frame.size(), frame.size() + simdjson::SIMDJSON_PADDING);
    return parser_.iterate(text).get(document_) == simdjson::SUCCESS && document_.get_object().get(*object) == simdjson::SUCCESS;
  }
  // Behind the object nothing may follow.
  bool AtEnd() { return document_.current_location().error() == simdjson::OUT_OF_BOUNDS; }

 private:
  od::parser parser_;
  od::document document_;
  std::string buffer_;
};

// False: `out` is untouched, the value is not of that kind.
inline bool GetString(od::value& value, std::string_view* out) { return value.get_string().get(*out) == simdjson::SUCCESS; }
inline bool GetUint(od::value& value, std::uint64_t* out) { return value.get_uint64().get(*out) == simdjson::SUCCESS; }
inline bool GetBool(od::value& value, bool* out) { return value.get_bool().get(*out) == simdjson::SUCCESS; }
inline bool IsNull(od::value& value) {
  bool null;
  return value.is_null().get(null) == simdjson::SUCCESS && null;
}
// A number's own text.
inline bool GetNumberText(od::value& value, std::string_view* out) {
  std::string_view text = value.raw_json_token();
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\r' || text.back() == '\t'))
    text.remove_suffix(1);
  double ignored;
  if (!IsJsonNumber(text) || value.get_double().get(ignored) != simdjson::SUCCESS) return false;
  *out = text;
  return true;
}

}  // namespace tw::decode
