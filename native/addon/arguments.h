// Arguments of calls from JavaScript: each throws a TypeError that names the one it does not like. For both addons.
#pragma once
#include <napi.h>

#include <cmath>
#include <cstdint>
#include <span>
#include <string>

namespace tw::addon {

// A number that is a whole one in [0, max]; throws a TypeError that names it otherwise. A bigint is taken too.
inline std::uint64_t WholeOf(const Napi::Value& value, const char* what, double max = 9007199254740992.0) {
  if (value.IsBigInt()) {
    bool lossless = false;
    const std::uint64_t whole = value.As<Napi::BigInt>().Uint64Value(&lossless);
    if (lossless) return whole;
  } else if (value.IsNumber()) {
    const double number = value.As<Napi::Number>().DoubleValue();
    if (std::isfinite(number) && number >= 0 && number <= max && number == std::floor(number))
      return static_cast<std::uint64_t>(number);
  }
  throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a whole number in range");
}

inline std::string TextOf(const Napi::Value& value, const char* what) {
  if (!value.IsString()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a string");
  return value.As<Napi::String>().Utf8Value();
}

inline std::span<std::uint8_t> BytesOf(const Napi::Value& value, const char* what) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a Uint8Array");
  }
  auto array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

inline std::uint64_t FieldOr(const Napi::Object& object, const char* name, std::uint64_t otherwise) {
  const Napi::Value value = object.Get(name);
  return value.IsUndefined() || value.IsNull() ? otherwise : WholeOf(value, name);
}

}  // namespace tw::addon
