// The main addon: checks arguments, wraps lifetimes, calls the core. Only it and kafka_addon include <napi.h>. One file per module.
#pragma once
#include <napi.h>

namespace tw::addon {

// Each file adds its line here and its call in addon.cc.
void RegisterModel(Napi::Env env, Napi::Object exports);
void RegisterInstruments(Napi::Env env, Napi::Object exports);
void RegisterGateway(Napi::Env env, Napi::Object exports);
void RegisterDecode(Napi::Env env, Napi::Object exports);
void RegisterDecodeRecords(Napi::Env env, Napi::Object exports);
void RegisterLock(Napi::Env env, Napi::Object exports);
void RegisterLog(Napi::Env env, Napi::Object exports);
void RegisterLogGroups(Napi::Env env, Napi::Object exports);
void RegisterJournalAdmin(Napi::Env env, Napi::Object exports);
void RegisterBarFold(Napi::Env env, Napi::Object exports);
void RegisterBars(Napi::Env env, Napi::Object exports);
void RegisterBatcher(Napi::Env env, Napi::Object exports);
void RegisterFeed(Napi::Env env, Napi::Object exports);

}  // namespace tw::addon
