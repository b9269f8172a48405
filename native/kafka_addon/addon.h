// The Kafka addon: checks arguments, wraps lifetimes, calls native/kafka and native/publish. Its own addon, because only who asks
// for Kafka needs librdkafka. One file per module.
#pragma once
#include <napi.h>

namespace tw::kafka_addon {

// Each file adds its line here and its call in addon.cc.
void RegisterAdmin(Napi::Env env, Napi::Object exports);
void RegisterLog(Napi::Env env, Napi::Object exports);
void RegisterPublish(Napi::Env env, Napi::Object exports);

}  // namespace tw::kafka_addon
