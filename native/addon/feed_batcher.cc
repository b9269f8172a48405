// NativeBatcher: the thread that writes what the feeds of this process decode into the log.
#include "addon/addon.h"
#include "addon/feed_handles.h"
#include "addon/handles.h"

namespace tw::addon {
namespace {

constexpr napi_type_tag kBatcherTag = {0x7469636b77697265ull, 0x0000000000000010ull};

const char* RefusingName(journal::Status status) {
  switch (status) {
    case journal::Status::kOk: return "no";
    case journal::Status::kBusy: return "busy";
    case journal::Status::kDiskFull: return "diskFull";
    default: return "error";
  }
}

class NativeBatcher : public Napi::ObjectWrap<NativeBatcher> {
 public:
  static void Register(Napi::Env env, Napi::Object exports) {
    exports.Set("NativeBatcher",
                DefineClass(env, "NativeBatcher",
                            {InstanceMethod<&NativeBatcher::AddRoute>("addRoute"), InstanceMethod<&NativeBatcher::Start>("start"),
                             InstanceMethod<&NativeBatcher::Stop>("stop"), InstanceMethod<&NativeBatcher::Stats>("stats")}));
  }

  explicit NativeBatcher(const Napi::CallbackInfo& info) : ObjectWrap(info), handle(std::make_shared<BatcherHandle>()) {
    const Napi::Env env = info.Env();
    if (info.Length() < 1 || !info[0].IsObject()) throw Napi::TypeError::New(env, "new NativeBatcher({log, instruments, …})");
    const auto options = info[0].As<Napi::Object>();
    handle->log = LogOf(options.Get("log"), "log");
    handle->instruments = InstrumentsOf(options.Get("instruments"), "instruments");
    batch::BatcherOptions batcher;
    batcher.records_max = static_cast<std::size_t>(std::max(1.0, NumberOption(options, "recordsMax", 256)));
    batcher.age_max_ns = static_cast<std::uint64_t>(std::max(0.0, NumberOption(options, "ageMaxUs", 1000)) * 1000);
    if (const Napi::Value origin = options.Get("origin"); origin.IsBigInt()) {
      bool lossless = false;
      batcher.origin = origin.As<Napi::BigInt>().Uint64Value(&lossless);
    }
    handle->batcher = std::make_unique<batch::Batcher>(handle->log, handle->instruments, batcher);
    info.This().As<Napi::Object>().TypeTag(&kBatcherTag);
    hook_ = new std::shared_ptr<BatcherHandle>(handle);
    napi_add_env_cleanup_hook(env, StopAtExit, hook_);
  }
  ~NativeBatcher() override {
    if (hook_ == nullptr) return;  // The constructor threw.
    handle->batcher->Stop();
    napi_remove_env_cleanup_hook(Env(), StopAtExit, hook_);
    delete hook_;
  }
  const std::shared_ptr<BatcherHandle> handle;

 private:
  // A Worker that is terminated must not leave its thread behind.
  static void StopAtExit(void* data) { (*static_cast<std::shared_ptr<BatcherHandle>*>(data))->batcher->Stop(); }

  // addRoute(exchange, dataType, topic, {symbol: partition}?)
  Napi::Value AddRoute(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (info.Length() < 3 || !info[0].IsNumber() || !info[1].IsString() || !info[2].IsString()) {
      throw Napi::TypeError::New(env, "addRoute(exchange: number, dataType: string, topic: string)");
    }
    const std::string name = info[1].As<Napi::String>();
    const auto type = DataTypeOf(name);
    if (!type) throw Napi::TypeError::New(env, "unknown data type " + name);
    batch::Route route{static_cast<std::uint8_t>(info[0].As<Napi::Number>().Uint32Value()), *type, info[2].As<Napi::String>().Utf8Value()};
    if (info[3].IsObject()) {
      const auto dedicated = info[3].As<Napi::Object>();
      for (const auto& [symbol, partition] : dedicated) {
        const Napi::Value number = partition;
        if (!number.IsNumber()) throw Napi::TypeError::New(env, "dedicated partitions must be numbers");
        route.dedicated[symbol.As<Napi::String>().Utf8Value()] = number.As<Napi::Number>().Uint32Value();
      }
    }
    std::string error;
    const bool added = handle->batcher->AddRoute(route, &error);
    if (!added) throw Napi::Error::New(env, error);
    return env.Undefined();
  }
  Napi::Value Start(const Napi::CallbackInfo& info) {
    handle->batcher->Start();
    return info.Env().Undefined();
  }
  Napi::Value Stop(const Napi::CallbackInfo& info) {
    handle->batcher->Stop();
    return info.Env().Undefined();
  }
  Napi::Value Stats(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const batch::BatcherStats& stats = handle->batcher->stats();
    auto out = Napi::Object::New(env);
    out.Set("records", Count(env, stats.records.value()));
    out.Set("batches", Count(env, stats.batches.value()));
    out.Set("bytes", Count(env, stats.bytes.value()));
    out.Set("clocks", Count(env, stats.clocks.value()));
    out.Set("gaps", Count(env, stats.gaps.value()));
    out.Set("unrouted", Count(env, stats.unrouted.value()));
    out.Set("busy", Count(env, stats.busy.value()));
    out.Set("diskFull", Count(env, stats.disk_full.value()));
    out.Set("errors", Count(env, stats.errors.value()));
    out.Set("lost", Count(env, stats.lost.value()));
    out.Set("refusing", Napi::String::New(env, RefusingName(stats.refusing.load(std::memory_order_relaxed))));
    out.Set("appendNs", LatencyObject(env, stats.append_ns));
    out.Set("totalNs", LatencyObject(env, stats.total_ns));
    return out;
  }

  std::shared_ptr<BatcherHandle>* hook_ = nullptr;
};

}  // namespace

std::shared_ptr<BatcherHandle> BatcherOf(const Napi::Value& value, const char* what) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kBatcherTag)) {
    throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a NativeBatcher");
  }
  return NativeBatcher::Unwrap(value.As<Napi::Object>())->handle;
}

double NumberOption(const Napi::Object& options, const char* name, double fallback) {
  const Napi::Value value = options.Get(name);
  if (value.IsUndefined()) return fallback;
  if (!value.IsNumber()) throw Napi::TypeError::New(options.Env(), std::string(name) + " must be a number");
  return value.As<Napi::Number>().DoubleValue();
}

bool BooleanOption(const Napi::Object& options, const char* name, bool fallback) {
  const Napi::Value value = options.Get(name);
  if (value.IsUndefined()) return fallback;
  if (!value.IsBoolean()) throw Napi::TypeError::New(options.Env(), std::string(name) + " must be a boolean");
  return value.As<Napi::Boolean>().Value();
}

std::string StringOption(const Napi::Object& options, const char* name, const char* fallback) {
  const Napi::Value value = options.Get(name);
  if (value.IsUndefined()) return fallback;
  if (!value.IsString()) throw Napi::TypeError::New(options.Env(), std::string(name) + " must be a string");
  return value.As<Napi::String>().Utf8Value();
}

std::optional<batch::DataType> DataTypeOf(std::string_view name) {
  for (std::size_t i = 0; i < batch::kDataTypeCount; ++i) {
    if (name == batch::kDataTypeNames[i]) return static_cast<batch::DataType>(i);
  }
  return std::nullopt;
}

Napi::Object LatencyObject(Napi::Env env, const ring::Histogram& histogram) {
  auto out = Napi::Object::New(env);
  out.Set("count", Count(env, histogram.count()));
  out.Set("p50", Count(env, histogram.Percentile(0.5)));
  out.Set("p99", Count(env, histogram.Percentile(0.99)));
  out.Set("p999", Count(env, histogram.Percentile(0.999)));
  out.Set("max", Count(env, histogram.max()));
  return out;
}

void RegisterBatcher(Napi::Env env, Napi::Object exports) { NativeBatcher::Register(env, exports); }

}  // namespace tw::addon
