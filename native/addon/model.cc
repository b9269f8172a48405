// Layout, hashing and decimals: what TypeScript must know of the record without retyping a number.
#include <cstring>
#include <string>
#include <vector>

#include "addon/addon.h"
#include "addon/handles.h"
#include "model/instrument.h"
#include "wire/batch.h"
#include "wire/json.h"
#include "wire/layout.h"
#include "wire/record_hash.h"

namespace tw::addon {
namespace {

Napi::Value LayoutJsonText(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), wire::LayoutJson()); }

Napi::Value Murmur2Of(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsString()) throw Napi::TypeError::New(info.Env(), "murmur2(key: string)");
  return Napi::Number::New(info.Env(), Murmur2(info[0].As<Napi::String>().Utf8Value()));
}

// The records of a TWB1 batch in `bytes`; copies when they are not 8-aligned. Throws when it is not a batch.
wire::BatchView BatchOf(const Napi::Value& value, std::vector<std::uint64_t>* storage) {
  if (!value.IsTypedArray()) throw Napi::TypeError::New(value.Env(), "batch must be a Uint8Array");
  const auto array = value.As<Napi::Uint8Array>();
  const std::uint8_t* data = array.Data();
  if (reinterpret_cast<std::uintptr_t>(data) % 8 != 0) {
    storage->resize(array.ByteLength() / 8 + 1);
    std::memcpy(storage->data(), data, array.ByteLength());
    data = reinterpret_cast<const std::uint8_t*>(storage->data());
  }
  wire::BatchView view;
  const auto error = wire::BatchView::Parse({data, array.ByteLength()}, &view);
  if (error != wire::BatchError::kNone) throw Napi::Error::New(value.Env(), "not a readable TWB1 batch");
  return view;
}

// batchToJson(batch, instruments): one JSON object per line.
Napi::Value BatchToJson(const Napi::CallbackInfo& info) {
  if (info.Length() < 2) throw Napi::TypeError::New(info.Env(), "batchToJson(batch: Uint8Array, instruments: NativeInstruments)");
  std::vector<std::uint64_t> storage;
  const wire::BatchView view = BatchOf(info[0], &storage);
  const auto instruments = InstrumentsOf(info[1], "instruments");
  std::string text;
  text.reserve(view.size() * 320);
  for (std::uint32_t i = 0; i < view.size(); ++i) {
    wire::AppendRecordJson(view[i], *instruments, &text);
    text.push_back('\n');
  }
  return Napi::String::New(info.Env(), text);
}

// NativeRecordHash: add(batch), digest(), records, repeats, streams.
class NativeRecordHash : public Napi::ObjectWrap<NativeRecordHash> {
 public:
  static void Register(Napi::Env env, Napi::Object exports) {
    exports.Set("NativeRecordHash",
                DefineClass(env, "NativeRecordHash",
                            {InstanceMethod<&NativeRecordHash::Add>("add"), InstanceMethod<&NativeRecordHash::Digest>("digest"),
                             InstanceAccessor<&NativeRecordHash::Records>("records"), InstanceAccessor<&NativeRecordHash::Repeats>("repeats"),
                             InstanceAccessor<&NativeRecordHash::Streams>("streams")}));
  }
  explicit NativeRecordHash(const Napi::CallbackInfo& info) : ObjectWrap(info) {}

 private:
  void Add(const Napi::CallbackInfo& info) {
    std::vector<std::uint64_t> storage;
    const wire::BatchView view = BatchOf(info.Length() > 0 ? info[0] : info.Env().Undefined(), &storage);
    for (std::uint32_t i = 0; i < view.size(); ++i) hash_.Add(view[i]);
  }
  Napi::Value Digest(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), hash_.Digest()); }
  Napi::Value Records(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), static_cast<double>(hash_.records())); }
  Napi::Value Repeats(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), static_cast<double>(hash_.repeats())); }
  Napi::Value Streams(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), static_cast<double>(hash_.streams())); }

  wire::RecordHash hash_;
};

}  // namespace

void RegisterModel(Napi::Env env, Napi::Object exports) {
  exports.Set("layoutJson", Napi::Function::New(env, LayoutJsonText, "layoutJson"));
  exports.Set("batchToJson", Napi::Function::New(env, BatchToJson, "batchToJson"));
  NativeRecordHash::Register(env, exports);
  exports.Set("murmur2", Napi::Function::New(env, Murmur2Of, "murmur2"));
}

}  // namespace tw::addon
