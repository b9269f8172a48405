// What the feed files of the addon share.
#pragma once
#include <napi.h>

#include <memory>
#include <optional>
#include <string>

#include "batch/batcher.h"

namespace tw::addon {

struct BatcherHandle {
  std::shared_ptr<journal::Log> log;
  std::shared_ptr<InstrumentTable> instruments;
  std::unique_ptr<batch::Batcher> batcher;
};
// Throws a TypeError when `value` is not a NativeBatcher.
std::shared_ptr<BatcherHandle> BatcherOf(const Napi::Value& value, const char* what);

// Options by name; a missing one takes the default, one of another kind throws a TypeError that names it.
double NumberOption(const Napi::Object& options, const char* name, double fallback);
bool BooleanOption(const Napi::Object& options, const char* name, bool fallback);
std::string StringOption(const Napi::Object& options, const char* name, const char* fallback);
std::optional<batch::DataType> DataTypeOf(std::string_view name);
Napi::Object LatencyObject(Napi::Env env, const ring::Histogram& histogram);

inline Napi::Number Count(Napi::Env env, std::uint64_t value) { return Napi::Number::New(env, static_cast<double>(value)); }

}  // namespace tw::addon
