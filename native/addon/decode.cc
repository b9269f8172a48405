// decodePackets: a venue's bytes as text, for `tickwire decode` and the tests.
#include "addon/addon.h"
#include "decode/describe.h"

namespace tw::addon {
namespace {

// decodePackets(venue, bytes, {packet}): {text, counts}. counts has the reasons above zero, by name.
Napi::Value DecodePackets(const Napi::CallbackInfo& info) {
  if (info.Length() < 2 || !info[0].IsString() || !info[1].IsTypedArray() ||
      info[1].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw Napi::TypeError::New(info.Env(), "decodePackets(venue: string, bytes: Uint8Array, options?: {packet?: boolean})");
  }
  const bool packet = info.Length() > 2 && info[2].IsObject() && info[2].As<Napi::Object>().Get("packet").ToBoolean();
  const auto bytes = info[1].As<Napi::Uint8Array>();
  const std::string venue = info[0].As<Napi::String>();
  std::string text;
  ReasonCounters reasons;
  if (!decode::AppendPacketsJson(venue, {bytes.Data(), bytes.ByteLength()}, packet, &text, &reasons)) {
    throw Napi::RangeError::New(info.Env(), "decodePackets does not know the venue " + venue);
  }
  Napi::Object counts = Napi::Object::New(info.Env());
  for (std::size_t i = 1; i < kReasonCount; ++i) {
    const auto reason = static_cast<Reason>(i);
    if (reasons[reason] != 0) counts.Set(ReasonName(reason), Napi::Number::New(info.Env(), static_cast<double>(reasons[reason])));
  }
  Napi::Object out = Napi::Object::New(info.Env());
  // As a buffer: the text of a large file is beyond what one JavaScript string should hold.
  out.Set("text", Napi::Buffer<char>::Copy(info.Env(), text.data(), text.size()));
  out.Set("counts", counts);
  return out;
}

}  // namespace

void RegisterDecode(Napi::Env env, Napi::Object exports) {
  exports.Set("decodePackets", Napi::Function::New(env, DecodePackets, "decodePackets"));
}

}  // namespace tw::addon
