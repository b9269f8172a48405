// A slow Avro decoder that knows nothing but an .avsc file: what the encoder wrote, field by field, as text.
#pragma once
#include <simdjson.h>

#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tw::wire {

class AvroReader {
 public:
  explicit AvroReader(const std::string& path) : schema_(parser_.load(path)) { Name(schema_); }

  // `field` → value; of an array of records `field[0].inner`. Throws when bytes are missing or left over.
  std::map<std::string, std::string> Read(std::span<const std::uint8_t> bytes) {
    at_ = bytes;
    fields_.clear();
    Value(schema_, "");
    if (!at_.empty()) throw std::runtime_error(std::to_string(at_.size()) + " bytes are left over");
    return fields_;
  }

 private:
  using Element = simdjson::dom::element;

  // Named types are written out where they are first used.
  void Name(Element schema) {
    if (schema.is_array()) {
      for (const Element branch : schema.get_array()) Name(branch);
      return;
    }
    if (!schema.is_object()) return;
    std::string_view name;
    if (schema["name"].get(name) == simdjson::SUCCESS) named_["tickwire." + std::string(name)] = schema;
    Element inner;
    if (schema["type"].get(inner) == simdjson::SUCCESS) Name(inner);
    if (schema["items"].get(inner) == simdjson::SUCCESS) Name(inner);
    simdjson::dom::array fields;
    if (schema["fields"].get(fields) != simdjson::SUCCESS) return;
    for (const Element field : fields) Name(field["type"].value());
  }

  std::int64_t Long() {
    std::uint64_t bits = 0;
    for (int shift = 0;; shift += 7) {
      if (at_.empty() || shift > 63) throw std::runtime_error("a number is cut off");
      const std::uint8_t byte = at_.front();
      at_ = at_.subspan(1);
      bits |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) break;
    }
    return static_cast<std::int64_t>((bits >> 1) ^ (~(bits & 1) + 1));
  }

  void Value(Element schema, const std::string& path) {
    if (schema.is_array()) return Value(schema.at(static_cast<std::size_t>(Long())).value(), path);
    std::string_view type;
    if (schema.is_string()) {
      type = schema.get_string().value();
    } else if (schema["type"].get(type) != simdjson::SUCCESS) {
      return Value(schema["type"].value(), path);
    }
    if (type == "null") {
      fields_[path] = "null";
    } else if (type == "int" || type == "long") {
      const std::int64_t value = Long();
      if (type == "int" && (value > INT32_MAX || value < INT32_MIN)) throw std::runtime_error(path + " is no int");
      fields_[path] = std::to_string(value);
    } else if (type == "string") {
      const auto size = static_cast<std::size_t>(Long());
      if (size > at_.size()) throw std::runtime_error(path + " is cut off");
      fields_[path] = std::string(reinterpret_cast<const char*>(at_.data()), size);
      at_ = at_.subspan(size);
    } else if (type == "enum") {
      fields_[path] = std::string(schema["symbols"].at(static_cast<std::size_t>(Long())).get_string().value());
    } else if (type == "array") {
      std::size_t index = 0;
      for (std::int64_t count = Long(); count != 0; count = Long()) {
        for (; count > 0; --count) Value(schema["items"].value(), path + "[" + std::to_string(index++) + "]");
      }
      fields_[path + ".size"] = std::to_string(index);
    } else if (type == "record") {
      for (const Element field : schema["fields"].get_array()) {
        Value(field["type"].value(), (path.empty() ? "" : path + ".") + std::string(field["name"].get_string().value()));
      }
    } else {
      Value(named_.at(std::string(type)), path);
    }
  }

  simdjson::dom::parser parser_;
  Element schema_;
  std::map<std::string, Element> named_;
  std::span<const std::uint8_t> at_;
  std::map<std::string, std::string> fields_;
};

}  // namespace tw::wire
