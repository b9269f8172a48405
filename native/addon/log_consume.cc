// NativeConsumer: the consume loop for JavaScript. The slab is a SharedArrayBuffer that JavaScript made (it cannot be
// detached under the thread); events come out of drain() as rows of numbers; one thread-safe-function call wakes it up.
// The thread is joined by stop(), by the finalizer, and by an env cleanup hook when a Worker is terminated over it.
#include <array>

#include "addon/handles.h"
#include "addon/log_parts.h"
#include "journal/consume.h"

namespace tw::addon {
namespace {

using journal::Assignment;
using journal::ConsumeEvent;
using journal::Place;

constexpr std::size_t kRow = 14;  // Numbers per event; the order is that of `rows` in src/native/log.ts.
constexpr std::size_t kDrainMax = 1024;

Place PlaceOf(const Napi::Value& value, Place otherwise) {
  if (!value.IsObject()) return otherwise;
  const auto object = value.As<Napi::Object>();
  const std::uint64_t kind = WholeOf(object.Get("kind"), "kind", 4);
  return {static_cast<Place::Kind>(kind), FieldOr(object, "value", 0)};
}

class NativeConsumer : public Napi::ObjectWrap<NativeConsumer> {
 public:
  static void Register(Napi::Env env, Napi::Object exports) {
    exports.Set(
        "NativeConsumer",
        DefineClass(env, "NativeConsumer",
                    {InstanceMethod<&NativeConsumer::Start>("start"), InstanceMethod<&NativeConsumer::Stop>("stop"),
                     InstanceMethod<&NativeConsumer::Drain>("drain"), InstanceMethod<&NativeConsumer::TakeLarge>("takeLarge"),
                     InstanceMethod<&NativeConsumer::FreeCell>("freeCell"), InstanceMethod<&NativeConsumer::Released>("released"),
                     InstanceMethod<&NativeConsumer::Commit>("commit"), InstanceMethod<&NativeConsumer::Check>("check"),
                     InstanceMethod<&NativeConsumer::EndOffset>("endOffset")}));
  }

  // new NativeConsumer(log, {topics, slab, cellBytes, rows, onWake, heartbeatMs, from, ranges | group: {name, durable, hungMs}})
  explicit NativeConsumer(const Napi::CallbackInfo& info) : ObjectWrap(info), env_(info.Env()) {
    const auto log = LogOf(info[0], "log");
    if (!info[1].IsObject()) throw Napi::TypeError::New(info.Env(), "NativeConsumer(log, options)");
    const auto given = info[1].As<Napi::Object>();
    journal::ConsumeOptions options;
    const auto topics = given.Get("topics").As<Napi::Array>();
    for (std::uint32_t i = 0; i < topics.Length(); ++i) options.topics.push_back(TextOf(topics.Get(i), "topics"));
    options.slab = BytesOf(given.Get("slab"), "slab");
    options.cell_bytes = static_cast<std::uint32_t>(FieldOr(given, "cellBytes", 256u << 10));
    options.heartbeat_ms = static_cast<std::uint32_t>(std::max<std::uint64_t>(FieldOr(given, "heartbeatMs", 200), 1));
    options.from = PlaceOf(given.Get("from"), {});
    const bool aligned = reinterpret_cast<std::uintptr_t>(options.slab.data()) % 8 == 0 && options.cell_bytes % 8 == 0;
    if (!aligned || options.cell_bytes < 4096 || options.slab.size() < options.cell_bytes) {
      throw Napi::TypeError::New(info.Env(), "slab must be 8-aligned and hold at least one cell of 4096 bytes or more");
    }
    const Napi::Value rows = given.Get("rows");
    if (!rows.IsTypedArray() || rows.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array ||
        rows.As<Napi::Float64Array>().ElementLength() < kRow) {
      throw Napi::TypeError::New(info.Env(), "rows must be a Float64Array");
    }
    if (!given.Get("onWake").IsFunction()) throw Napi::TypeError::New(info.Env(), "onWake must be a function");
    if (given.Get("group").IsObject()) {
      options.hung_ms = static_cast<std::uint32_t>(FieldOr(given.Get("group").As<Napi::Object>(), "hungMs", options.hung_ms));
      options.group = JoinGroup(*log, given.Get("group").As<Napi::Object>(), options.topics);
    } else {
      options.ranges = RangesOf(given.Get("ranges"), options.topics.size());
    }
    slab_ = Napi::Persistent(given.Get("slab").As<Napi::Object>());
    rows_ = Napi::Persistent(rows.As<Napi::Float64Array>());
    wake_ = Napi::ThreadSafeFunction::New(info.Env(), given.Get("onWake").As<Napi::Function>(), "tickwire.consume", 0, 1);
    options.wake = [this] { wake_.NonBlockingCall(); };
    loop_ = std::make_unique<journal::ConsumeLoop>(log, std::move(options));
    // Added after the thread-safe function's own hook, so it runs before it: the thread is gone when that one closes.
    napi_add_env_cleanup_hook(env_, &NativeConsumer::OnCleanup, this);
    hooked_ = true;
  }
  ~NativeConsumer() override { Halt(true); }

 private:
  static std::unique_ptr<journal::Group> JoinGroup(journal::Log& log, const Napi::Object& given,
                                                   const std::vector<std::string>& topics) {
    journal::GroupOptions options;
    options.group = TextOf(given.Get("name"), "group name");
    options.durable = given.Get("durable").ToBoolean();
    options.hung_ms = static_cast<std::uint32_t>(FieldOr(given, "hungMs", 6000));
    for (const std::string& name : topics) {
      journal::TopicOptions topic;
      if (!log.FindTopic(name, &topic)) throw Napi::Error::New(given.Env(), "no topic " + name);
      options.topics.push_back({name, topic.partitions});
    }
    std::string error;
    auto group = log.JoinGroup(options, &error);
    if (group == nullptr) throw Napi::Error::New(given.Env(), error);
    return group;
  }

  static std::vector<journal::ConsumeOptions::Range> RangesOf(const Napi::Value& value, std::size_t topics) {
    std::vector<journal::ConsumeOptions::Range> ranges;
    if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), "ranges must be an array");
    const auto list = value.As<Napi::Array>();
    for (std::uint32_t i = 0; i < list.Length(); ++i) {
      const auto item = Napi::Value(list.Get(i)).As<Napi::Object>();
      journal::ConsumeOptions::Range range;
      range.topic = static_cast<std::uint32_t>(WholeOf(item.Get("topic"), "topic", static_cast<double>(topics) - 1));
      range.partition = static_cast<std::uint32_t>(WholeOf(item.Get("partition"), "partition", 0xffffffff));
      range.from = PlaceOf(item.Get("from"), {});
      range.to = PlaceOf(item.Get("to"), {Place::Kind::kEnd, 0});
      range.follow = item.Get("follow").ToBoolean();
      ranges.push_back(range);
    }
    return ranges;
  }

  static void OnCleanup(void* self) { static_cast<NativeConsumer*>(self)->Halt(false); }

  void Halt(bool unhook) {
    if (loop_ != nullptr) loop_->Stop();
    if (hooked_) {
      if (unhook) napi_remove_env_cleanup_hook(env_, &NativeConsumer::OnCleanup, this);
      hooked_ = false;
      wake_.Release();
    }
  }

  void Start(const Napi::CallbackInfo&) { loop_->Start(); }
  void Stop(const Napi::CallbackInfo&) {
    Halt(true);
    large_.clear();
  }

  // drain(): how many events stand in `rows` now.
  Napi::Value Drain(const Napi::CallbackInfo& info) {
    auto rows = rows_.Value();
    const std::size_t limit = std::min(rows.ElementLength() / kRow, kDrainMax);
    const std::size_t count = loop_->Drain({events_.data(), limit});
    double* at = rows.Data();
    large_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      ConsumeEvent& event = events_[i];
      double large = -1;
      if (event.large != nullptr) {
        large = static_cast<double>(large_.size());
        large_.push_back(std::move(event.large));
      }
      const double row[kRow] = {static_cast<double>(event.kind),
                                static_cast<double>(event.topic),
                                static_cast<double>(event.partition),
                                static_cast<double>(event.generation),
                                static_cast<double>(event.offset),
                                static_cast<double>(event.kind == ConsumeEvent::Kind::kMessage ? event.count : event.to_offset),
                                static_cast<double>(event.message_kind),
                                static_cast<double>(event.position),
                                static_cast<double>(event.value_size),
                                static_cast<double>(event.key_size),
                                static_cast<double>(event.cell),
                                event.frees_cell ? 1.0 : 0.0,
                                static_cast<double>(event.status),
                                large};
      std::memcpy(at + i * kRow, row, sizeof row);
      event = {};
    }
    return Napi::Number::New(info.Env(), static_cast<double>(count));
  }

  // takeLarge(index): bytes of a message that fits no cell, its own memory. Before the next drain().
  Napi::Value TakeLarge(const Napi::CallbackInfo& info) {
    const auto index = static_cast<std::size_t>(WholeOf(info[0], "index"));
    if (index >= large_.size() || large_[index] == nullptr) return info.Env().Undefined();
    const auto bytes = std::move(large_[index]);
    auto copy = Napi::ArrayBuffer::New(info.Env(), bytes->size() * 8);
    std::memcpy(copy.Data(), bytes->data(), bytes->size() * 8);
    return Napi::Uint8Array::New(info.Env(), bytes->size() * 8, copy, 0);
  }

  void FreeCell(const Napi::CallbackInfo& info) {
    loop_->FreeCell(static_cast<std::uint32_t>(WholeOf(info[0], "cell", 0xffffffff)));
  }
  static Assignment AssignmentOf(const Napi::CallbackInfo& info) {
    return {static_cast<std::uint32_t>(WholeOf(info[0], "topic", 0xffffffff)),
            static_cast<std::uint32_t>(WholeOf(info[1], "partition", 0xffffffff)), WholeOf(info[2], "generation")};
  }
  void Released(const Napi::CallbackInfo& info) { loop_->Released(AssignmentOf(info)); }
  // commit(topic, partition, generation, offset): status.
  Napi::Value Commit(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<int>(loop_->Commit(AssignmentOf(info), WholeOf(info[3], "offset"))));
  }
  Napi::Value Check(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<int>(loop_->Check(AssignmentOf(info))));
  }
  Napi::Value EndOffset(const Napi::CallbackInfo& info) {
    return Napi::Number::New(
        info.Env(), static_cast<double>(loop_->EndOffset(static_cast<std::uint32_t>(WholeOf(info[0], "topic", 0xffffffff)),
                                                         static_cast<std::uint32_t>(WholeOf(info[1], "partition", 0xffffffff)))));
  }

  const napi_env env_;
  Napi::ObjectReference slab_;  // Kept while the thread may write into it.
  Napi::Reference<Napi::Float64Array> rows_;
  Napi::ThreadSafeFunction wake_;
  bool hooked_ = false;
  std::array<ConsumeEvent, kDrainMax> events_;
  std::vector<std::shared_ptr<std::vector<std::uint64_t>>> large_;
  std::unique_ptr<journal::ConsumeLoop> loop_;
};

}  // namespace

void RegisterConsumer(Napi::Env env, Napi::Object exports) { NativeConsumer::Register(env, exports); }

}  // namespace tw::addon
