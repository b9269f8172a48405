// A log engine on its way through JavaScript from one addon to the other: an object that shows nothing, tagged, around the C
// table of journal/engine_c.h. For both addons.
#pragma once
#include <napi.h>

#include <string>

#include "journal/engine_c.h"

namespace tw::addon {

inline constexpr napi_type_tag kEngineTag = {0x7469636b77697265ull, 0x00000000000000e1ull};

// Takes the caller's reference; the collector gives it back. A tagged object, because tags on externals are not in every
// Node 20.
inline Napi::Object WrapEngine(Napi::Env env, const tw_engine* engine) {
  auto handle = Napi::Object::New(env);
  const auto release = [](napi_env, void* data, void*) {
    const auto* held = static_cast<const tw_engine*>(data);
    held->release(held->log);
  };
  if (napi_wrap(env, handle, const_cast<tw_engine*>(engine), release, nullptr, nullptr) != napi_ok) {
    engine->release(engine->log);
    throw Napi::Error::New(env);
  }
  handle.TypeTag(&kEngineTag);
  return handle;
}

inline bool IsEngine(const Napi::Value& value) { return value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&kEngineTag); }

// Valid as long as the object. Throws a TypeError when `value` is none; `what` names the argument.
inline const tw_engine* EngineOf(const Napi::Value& value, const char* what) {
  void* data = nullptr;
  if (!IsEngine(value) || napi_unwrap(value.Env(), value, &data) != napi_ok) {
    throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a log engine");
  }
  return static_cast<const tw_engine*>(data);
}

}  // namespace tw::addon
