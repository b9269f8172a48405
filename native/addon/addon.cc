#include "addon/addon.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  tw::addon::RegisterModel(env, exports);
  tw::addon::RegisterInstruments(env, exports);
  tw::addon::RegisterGateway(env, exports);
  tw::addon::RegisterDecode(env, exports);
  tw::addon::RegisterDecodeRecords(env, exports);
  tw::addon::RegisterLock(env, exports);
  tw::addon::RegisterLog(env, exports);
  tw::addon::RegisterLogGroups(env, exports);
  tw::addon::RegisterJournalAdmin(env, exports);
  tw::addon::RegisterBarFold(env, exports);
  tw::addon::RegisterBars(env, exports);
  tw::addon::RegisterBatcher(env, exports);
  tw::addon::RegisterFeed(env, exports);
  return exports;
}

NODE_API_MODULE(tickwire, Init)
