// Layout, hashing and decimals: what TypeScript must know of the record without retyping a number.
#include <cstring>
#include <string>

#include "addon/addon.h"
#include "model/decimal.h"
#include "model/instrument.h"
#include "model/reason.h"
#include "wire/crc32c.h"
#include "wire/layout.h"

namespace tw::addon {
namespace {

Napi::Value LayoutJsonText(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), wire::LayoutJson()); }

Napi::Value Murmur2Of(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsString()) throw Napi::TypeError::New(info.Env(), "murmur2(key: string)");
  return Napi::Number::New(info.Env(), Murmur2(info[0].As<Napi::String>().Utf8Value()));
}

}  // namespace

void RegisterModel(Napi::Env env, Napi::Object exports) {
  exports.Set("layoutJson", Napi::Function::New(env, LayoutJsonText, "layoutJson"));
  exports.Set("murmur2", Napi::Function::New(env, Murmur2Of, "murmur2"));
}

}  // namespace tw::addon
