// NativeBarFold: the aggregator on the caller's thread, records in, bars out. Batch recomputation of a log, verification and
// the forming bar use the same code as the processor. Refusals are counted in stats; bad arguments throw.
#include <cstring>

#include "addon/addon.h"
#include "addon/bar_options.h"
#include "bars/aggregator.h"

namespace tw::addon {
namespace {

class NativeBarFold : public Napi::ObjectWrap<NativeBarFold>, public bars::BarSink {
 public:
  static void Register(Napi::Env env, Napi::Object exports) {
    exports.Set("NativeBarFold",
                DefineClass(env, "NativeBarFold",
                            {InstanceMethod<&NativeBarFold::Push>("push"), InstanceMethod<&NativeBarFold::Save>("save"),
                             InstanceMethod<&NativeBarFold::Restore>("restore"), InstanceMethod<&NativeBarFold::Stats>("stats")}));
  }
  explicit NativeBarFold(const Napi::CallbackInfo& info) : ObjectWrap(info), aggregator_(BarOptionsOf(info[0]), this) {}
  void OnBar(const Bar& bar) override { bars_.push_back(bar); }

 private:
  // push(records, offset, input): whole records one after the other; the first stands at `offset`. The bars they made.
  Napi::Value Push(const Napi::CallbackInfo& info) {
    if (info.Length() < 3 || !info[0].IsTypedArray() || !info[1].IsNumber() || !info[2].IsNumber()) {
      throw Napi::TypeError::New(info.Env(), "push(records: Uint8Array, offset: number, input: number)");
    }
    const auto view = info[0].As<Napi::TypedArray>();
    const auto* bytes = static_cast<const std::uint8_t*>(view.ArrayBuffer().Data()) + view.ByteOffset();
    const std::size_t size = view.ByteLength();
    auto offset = static_cast<std::uint64_t>(info[1].As<Napi::Number>().Int64Value());
    const auto input = static_cast<std::uint16_t>(info[2].As<Napi::Number>().Uint32Value());
    bars_.clear();
    alignas(8) std::uint8_t record[kRecordSizeMax];
    for (std::size_t at = 0; at < size;) {
      if (size - at < sizeof(Header)) throw Napi::RangeError::New(info.Env(), "push: half a record at its end");
      std::memcpy(record, bytes + at, sizeof(Header));
      const std::size_t length = RecordSize(reinterpret_cast<const Header*>(record)->type);
      if (length == 0 || size - at < length) throw Napi::RangeError::New(info.Env(), "push: an unknown record, or half a one");
      std::memcpy(record, bytes + at, length);
      aggregator_.OnRecord(record, {offset++, 0, input});
      at += length;
    }
    return Napi::Buffer<std::uint8_t>::Copy(info.Env(), reinterpret_cast<const std::uint8_t*>(bars_.data()), bars_.size() * sizeof(Bar));
  }
  Napi::Value Save(const Napi::CallbackInfo& info) {
    std::vector<std::uint8_t> state;
    aggregator_.Save(&state);
    return Napi::Buffer<std::uint8_t>::Copy(info.Env(), state.data(), state.size());
  }
  // Empty, or why it was refused.
  Napi::Value Restore(const Napi::CallbackInfo& info) {
    if (info.Length() < 1 || !info[0].IsTypedArray()) throw Napi::TypeError::New(info.Env(), "restore(state: Uint8Array)");
    const auto view = info[0].As<Napi::TypedArray>();
    const auto* bytes = static_cast<const std::uint8_t*>(view.ArrayBuffer().Data()) + view.ByteOffset();
    return Napi::String::New(info.Env(), aggregator_.Restore({bytes, view.ByteLength()}));
  }
  Napi::Value Stats(const Napi::CallbackInfo& info) { return BarStatsOf(info.Env(), aggregator_.stats()); }

  bars::Aggregator aggregator_;
  std::vector<Bar> bars_;
};

}  // namespace

void RegisterBarFold(Napi::Env env, Napi::Object exports) { NativeBarFold::Register(env, exports); }

}  // namespace tw::addon
