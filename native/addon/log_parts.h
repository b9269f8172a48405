// What the files of the log's addon part share.
#pragma once
#include "addon/addon.h"
#include "addon/arguments.h"
#include "journal/log.h"

namespace tw::addon {

void RegisterAppender(Napi::Env env, Napi::Object exports);  // log_append.cc
void RegisterConsumer(Napi::Env env, Napi::Object exports);  // log_consume.cc
void RegisterBatch(Napi::Env env, Napi::Object exports);     // log_batch.cc

}  // namespace tw::addon
