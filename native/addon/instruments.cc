// NativeInstruments: the table of instruments that decoders, bars and the gateway share in one process.
#include "addon/addon.h"
#include "addon/handles.h"

namespace tw::addon {
namespace {

constexpr napi_type_tag kInstrumentsTag = {0x7469636b77697265ull, 0x0000000000000001ull};

class NativeInstruments : public Napi::ObjectWrap<NativeInstruments> {
 public:
  static void Register(Napi::Env env, Napi::Object exports) {
    exports.Set("NativeInstruments", DefineClass(env, "NativeInstruments",
                                                 {InstanceMethod<&NativeInstruments::Add>("add"), InstanceMethod<&NativeInstruments::Has>("has"),
                                                  InstanceAccessor<&NativeInstruments::Size>("size")}));
  }
  explicit NativeInstruments(const Napi::CallbackInfo& info) : ObjectWrap(info), table(std::make_shared<InstrumentTable>()) {
    info.This().As<Napi::Object>().TypeTag(&kInstrumentsTag);
  }
  const std::shared_ptr<InstrumentTable> table;

 private:
  // add(id, symbol, priceExponent, sizeExponent): false when refused (see InstrumentTable::Add).
  Napi::Value Add(const Napi::CallbackInfo& info) {
    if (info.Length() < 4 || !info[0].IsNumber() || !info[1].IsString() || !info[2].IsNumber() || !info[3].IsNumber()) {
      throw Napi::TypeError::New(info.Env(), "add(id: number, symbol: string, priceExponent: number, sizeExponent: number)");
    }
    const int price = info[2].As<Napi::Number>().Int32Value();
    const int size = info[3].As<Napi::Number>().Int32Value();
    if (price < -18 || price > 18 || size < -18 || size > 18) return Napi::Boolean::New(info.Env(), false);
    const Instrument* added = table->Add({.id = info[0].As<Napi::Number>().Uint32Value(),
                                          .price_exponent = static_cast<std::int8_t>(price),
                                          .size_exponent = static_cast<std::int8_t>(size),
                                          .symbol = info[1].As<Napi::String>().Utf8Value()});
    return Napi::Boolean::New(info.Env(), added != nullptr);
  }
  Napi::Value Has(const Napi::CallbackInfo& info) {
    const bool known = info.Length() > 0 && info[0].IsNumber() && table->Find(info[0].As<Napi::Number>().Uint32Value()) != nullptr;
    return Napi::Boolean::New(info.Env(), known);
  }
  Napi::Value Size(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), static_cast<double>(table->size())); }
};

}  // namespace

std::shared_ptr<InstrumentTable> InstrumentsOf(const Napi::Value& value, const char* what) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kInstrumentsTag)) {
    throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a NativeInstruments");
  }
  return NativeInstruments::Unwrap(value.As<Napi::Object>())->table;
}

void RegisterInstruments(Napi::Env env, Napi::Object exports) { NativeInstruments::Register(env, exports); }

}  // namespace tw::addon
