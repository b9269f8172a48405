// NativeBars: a bars processor on its own thread. stop() joins it; so does the end of the env it was made in, because a
// Worker that ends over a running thread crashes.
#include <algorithm>

#include "addon/addon.h"
#include "addon/bar_options.h"
#include "addon/handles.h"
#include "bars/processor.h"

namespace tw::addon {
namespace {

std::string TextOf(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsString()) throw Napi::TypeError::New(object.Env(), std::string("bars: ") + name + " must be a string");
  return value.As<Napi::String>().Utf8Value();
}

class NativeBars : public Napi::ObjectWrap<NativeBars> {
 public:
  static void Register(Napi::Env env, Napi::Object exports) {
    exports.Set("NativeBars", DefineClass(env, "NativeBars",
                                          {InstanceMethod<&NativeBars::Start>("start"), InstanceMethod<&NativeBars::Stop>("stop"),
                                           InstanceMethod<&NativeBars::Stats>("stats")}));
  }
  explicit NativeBars(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    if (info.Length() < 2 || !info[1].IsObject()) throw Napi::TypeError::New(info.Env(), "NativeBars(log, options)");
    const std::shared_ptr<journal::Log> log = LogOf(info[0], "log");
    const auto object = info[1].As<Napi::Object>();
    bars::ProcessorOptions options;
    options.name = TextOf(object, "name");
    options.output = TextOf(object, "output");
    options.group = TextOf(object, "group");
    const Napi::Value inputs = object.Get("inputs");
    if (!inputs.IsArray()) throw Napi::TypeError::New(info.Env(), "bars: inputs must be an array");
    for (std::uint32_t i = 0; i < std::min<std::uint32_t>(inputs.As<Napi::Array>().Length(), 1000); ++i) {
      const Napi::Value input = inputs.As<Napi::Array>().Get(i);
      if (!input.IsString()) throw Napi::TypeError::New(info.Env(), "bars: inputs must hold topic names");
      options.inputs.push_back(input.As<Napi::String>().Utf8Value());
    }
    const Napi::Value partitions = object.Get("partitions");
    if (partitions.IsArray()) {
      for (std::uint32_t i = 0; i < std::min<std::uint32_t>(partitions.As<Napi::Array>().Length(), 100'000); ++i) {
        const Napi::Value partition = partitions.As<Napi::Array>().Get(i);
        if (!partition.IsNumber()) throw Napi::TypeError::New(info.Env(), "bars: partitions must hold numbers");
        options.partitions.push_back(partition.As<Napi::Number>().Uint32Value());
      }
    }
    if (object.Get("batchRecords").IsNumber()) options.batch_records = object.Get("batchRecords").As<Napi::Number>().Uint32Value();
    if (object.Get("snapshotNs").IsNumber()) options.snapshot_ns = static_cast<std::uint64_t>(object.Get("snapshotNs").As<Napi::Number>().Int64Value());
    if (object.Get("origin").IsNumber()) options.origin = static_cast<std::uint64_t>(object.Get("origin").As<Napi::Number>().Int64Value());
    options.bars = BarOptionsOf(info[1]);
    processor_ = std::make_shared<bars::Processor>(log, std::move(options));
    hook_ = new std::shared_ptr<bars::Processor>(processor_);
    napi_add_env_cleanup_hook(info.Env(), StopAtEnd, hook_);
  }
  // Collected by the garbage collector, or with its env: the hook may have run before.
  void Finalize(Napi::Env env) override {
    if (processor_ == nullptr) return;
    processor_->Stop();
    napi_remove_env_cleanup_hook(env, StopAtEnd, hook_);
    delete hook_;
  }

 private:
  // The env ends: the thread is joined; the object's memory is its finalizer's.
  static void StopAtEnd(void* hook) { (*static_cast<std::shared_ptr<bars::Processor>*>(hook))->Stop(); }

  // Empty, or why it does not start.
  Napi::Value Start(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), processor_->Start()); }
  void Stop(const Napi::CallbackInfo&) { processor_->Stop(); }
  Napi::Value Stats(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const bars::ProcessorStats stats = processor_->stats();
    constexpr const char* kStates[] = {"new", "running", "stopped", "failed"};
    Napi::Object object = Napi::Object::New(env);
    object.Set("state", kStates[static_cast<std::size_t>(stats.state)]);
    object.Set("error", stats.error);
    object.Set("blocked", stats.blocked);
    Napi::Array lanes = Napi::Array::New(env);
    for (const bars::ProcessorLane& from : stats.lanes) {
      Napi::Object lane = Napi::Object::New(env);
      auto set = [&](const char* name, std::uint64_t value) { lane.Set(name, Napi::Number::New(env, static_cast<double>(value))); };
      lane.Set("topic", from.topic);
      set("partition", from.partition);
      set("messages", from.lane.messages);
      set("records", from.lane.records);
      set("badBatches", from.lane.bad_batches);
      auto bad = Napi::Array::New(env, from.lane.bad_offsets.size());
      for (std::uint32_t b = 0; b < from.lane.bad_offsets.size(); ++b) bad.Set(b, static_cast<double>(from.lane.bad_offsets[b]));
      lane.Set("badOffsets", bad);
      set("logHoles", from.lane.log_holes);
      set("appended", from.lane.appended);
      set("suppressed", from.lane.suppressed);
      set("busy", from.lane.busy);
      set("diskFull", from.lane.disk_full);
      set("snapshots", from.lane.snapshots);
      set("snapshotsRefused", from.lane.snapshots_refused);
      set("snapshotBytes", from.lane.snapshot_bytes);
      set("restoredAt", from.lane.restored_at);
      set("position", from.lane.position);
      set("end", from.lane.end);
      set("watermarkMs", from.lane.watermark / 1'000'000);
      set("instruments", from.lane.instruments);
      lane.Set("bars", BarStatsOf(env, from.bars));
      lanes.Set(lanes.Length(), lane);
    }
    object.Set("lanes", lanes);
    return object;
  }

  std::shared_ptr<bars::Processor> processor_;
  std::shared_ptr<bars::Processor>* hook_ = nullptr;
};

}  // namespace

void RegisterBars(Napi::Env env, Napi::Object exports) { NativeBars::Register(env, exports); }

}  // namespace tw::addon
