// NativeReplicator and NativeViewPublisher: what produces a log to Kafka, each on threads of its own. start() and stop() give
// promises, because both may wait for brokers; the end of the environment stops what still runs, without waiting for them.
#include <array>
#include <memory>

#include "addon/async_call.h"
#include "addon/engine_handle.h"
#include "journal/engine_import.h"
#include "kafka_addon/addon.h"
#include "kafka_addon/values.h"
#include "publish/replicator.h"
#include "publish/view_publisher.h"

namespace tw::kafka_addon {
namespace {

using addon::FieldOr;
using addon::TextOf;
using publish::Publisher;

std::shared_ptr<journal::Log> LogOf(const Napi::Value& value) {
  std::string error;
  auto log = journal::ImportEngine(addon::EngineOf(value, "log"), &error);
  if (log == nullptr) throw Napi::Error::New(value.Env(), error);
  return log;
}

std::uint32_t NumberOr(const Napi::Object& given, const char* name, std::uint32_t otherwise) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(FieldOr(given, name, otherwise), 0xffffffffu));
}

template <class Enum, std::size_t N>
Enum ChoiceOf(const Napi::Object& given, const char* name, const std::array<const char*, N>& names, Enum otherwise) {
  const Napi::Value value = given.Get(name);
  if (value.IsUndefined()) return otherwise;
  const std::string text = TextOf(value, name);
  std::string valid;
  for (std::size_t i = 0; i < N; ++i) {
    if (text == names[i]) return static_cast<Enum>(i);
    valid += (i == 0 ? "" : ", ") + std::string(names[i]);
  }
  throw Napi::TypeError::New(given.Env(), std::string(name) + " is \"" + text + "\"; valid: " + valid);
}

publish::ProducerOptions ProducerOf(const Napi::Object& given) {
  publish::ProducerOptions options;
  options.properties = PairsOf(given.Get("properties"), "properties");
  options.profile = ChoiceOf(given, "profile", std::array{"throughput", "latency"}, options.profile);
  constexpr std::array kCompressions = {"none", "snappy", "lz4", "zstd"};
  options.compression = kCompressions[ChoiceOf<std::size_t>(given, "compression", kCompressions, 1)];
  options.queue_messages = NumberOr(given, "queueMessages", options.queue_messages);
  options.queue_kbytes = NumberOr(given, "queueKbytes", options.queue_kbytes);
  return options;
}

Napi::Object OptionsOf(const Napi::CallbackInfo& info, const char* name) {
  if (!info[1].IsObject()) throw Napi::TypeError::New(info.Env(), std::string(name) + "(log, options)");
  return info[1].As<Napi::Object>();
}

// What the two classes have in common: the publisher, its life in the environment, its calls.
class Held {
 public:
  void Hold(Napi::Env env, std::shared_ptr<Publisher> publisher) {
    publisher_ = std::move(publisher);
    hook_ = new std::shared_ptr<Publisher>(publisher_);
    napi_add_env_cleanup_hook(env, StopAtEnd, hook_);
  }
  // Collected by the garbage collector, or with its environment: the hook may have run before.
  void Finalize(Napi::Env env) {
    if (publisher_ == nullptr) return;
    publisher_->Stop(false);
    napi_remove_env_cleanup_hook(env, StopAtEnd, hook_);
    delete hook_;
  }

  Napi::Value Start(const Napi::CallbackInfo& info) {
    return addon::AsyncCall<std::string>::Start(
        info.Env(), [publisher = publisher_] { return publisher->Start(); },
        [](Napi::Env env, std::string& error) -> Napi::Value {
          if (!error.empty()) throw Napi::Error::New(env, error);
          return env.Undefined();
        });
  }
  Napi::Value Stop(const Napi::CallbackInfo& info) {
    return addon::AsyncCall<bool>::Start(
        info.Env(),
        [publisher = publisher_] {
          publisher->Stop();
          return true;
        },
        [](Napi::Env env, bool&) -> Napi::Value { return env.Undefined(); });
  }

  Napi::Value Stats(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const publish::PublisherStats stats = publisher_->stats();
    constexpr const char* kStates[] = {"stopped", "running", "blocked"};
    auto object = Napi::Object::New(env);
    const auto set = [&](Napi::Object& in, const char* name, std::uint64_t value) {
      in.Set(name, Napi::Number::New(env, static_cast<double>(value)));
    };
    object.Set("state", kStates[static_cast<std::size_t>(stats.state)]);
    object.Set("error", stats.error);
    set(object, "messages", stats.messages);
    set(object, "records", stats.records);
    set(object, "bytes", stats.bytes);
    set(object, "acknowledged", stats.acknowledged);
    set(object, "inFlight", stats.in_flight);
    set(object, "failed", stats.failed);
    set(object, "repeats", stats.repeats);
    set(object, "unknownInstrument", stats.unknown_instrument);
    set(object, "bad", stats.bad);
    set(object, "lostOffsets", stats.lost_offsets);
    set(object, "producers", stats.producers);
    set(object, "batchBytes", stats.batch_bytes);
    set(object, "batchMessages", stats.batch_messages);
    set(object, "ackNsP50", stats.ack_ns_p50);
    set(object, "ackNsP99", stats.ack_ns_p99);
    set(object, "ageNsP50", stats.age_ns_p50);
    set(object, "ageNsP99", stats.age_ns_p99);
    auto errors = Napi::Object::New(env);
    for (const auto& [name, count] : stats.errors) set(errors, name.c_str(), count);
    object.Set("errors", errors);
    object.Set("topics", ListOf(env, stats.topics, [&](Napi::Env, const publish::TopicLag& from) {
                 auto topic = Napi::Object::New(env);
                 topic.Set("topic", from.topic);
                 set(topic, "lag", from.lag);
                 set(topic, "inFlight", from.in_flight);
                 set(topic, "partitions", from.partitions);
                 return topic;
               }));
    return object;
  }

 private:
  // The environment ends: the threads are joined; the object's memory is its finalizer's.
  static void StopAtEnd(void* hook) { (*static_cast<std::shared_ptr<Publisher>*>(hook))->Stop(false); }

  std::shared_ptr<Publisher> publisher_;
  std::shared_ptr<Publisher>* hook_ = nullptr;
};

class NativeReplicator : public Napi::ObjectWrap<NativeReplicator> {
 public:
  static void Register(Napi::Env env, Napi::Object exports) {
    exports.Set("NativeReplicator",
                DefineClass(env, "NativeReplicator",
                            {InstanceMethod<&NativeReplicator::Start>("start"), InstanceMethod<&NativeReplicator::Stop>("stop"),
                             InstanceMethod<&NativeReplicator::Stats>("stats")}));
  }
  // new NativeReplicator(engine, {properties, topics, …}): src/native/publish.ts.
  explicit NativeReplicator(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    auto log = LogOf(info[0]);
    const auto given = OptionsOf(info, "NativeReplicator");
    publish::ReplicatorOptions options;
    options.topics = TextsOf(given.Get("topics"), "topics");
    options.producer = ProducerOf(given);
    if (!given.Get("group").IsUndefined()) options.group = TextOf(given.Get("group"), "group");
    options.records_max = std::max(NumberOr(given, "recordsMax", options.records_max), 1u);
    options.messages_per_s_max = std::max(NumberOr(given, "messagesPerSecondMax", options.messages_per_s_max), 1u);
    options.commit_ms = NumberOr(given, "commitMs", options.commit_ms);
    options.stop_ms = NumberOr(given, "stopMs", options.stop_ms);
    held_.Hold(info.Env(), publish::MakeReplicator(std::move(log), std::move(options)));
  }
  void Finalize(Napi::Env env) override { held_.Finalize(env); }

 private:
  Napi::Value Start(const Napi::CallbackInfo& info) { return held_.Start(info); }
  Napi::Value Stop(const Napi::CallbackInfo& info) { return held_.Stop(info); }
  Napi::Value Stats(const Napi::CallbackInfo& info) { return held_.Stats(info); }

  Held held_;
};

class NativeViewPublisher : public Napi::ObjectWrap<NativeViewPublisher> {
 public:
  static void Register(Napi::Env env, Napi::Object exports) {
    exports.Set("NativeViewPublisher", DefineClass(env, "NativeViewPublisher",
                                                   {InstanceMethod<&NativeViewPublisher::Start>("start"),
                                                    InstanceMethod<&NativeViewPublisher::Stop>("stop"),
                                                    InstanceMethod<&NativeViewPublisher::Stats>("stats"),
                                                    InstanceMethod<&NativeViewPublisher::Add>("addInstrument")}));
  }
  // new NativeViewPublisher(engine, {properties, views: [{topic, encoding, schemaIds?}], …}): src/native/publish.ts.
  explicit NativeViewPublisher(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    auto log = LogOf(info[0]);
    const auto given = OptionsOf(info, "NativeViewPublisher");
    publish::ViewPublisherOptions options;
    const std::uint32_t wait_ms = NumberOr(given, "instrumentWaitMs", publish::ViewOptions().instrument_wait_ms);
    options.views = ItemsOf(given.Get("views"), "views", [&](const Napi::Object& item) { return ViewOf(item, wait_ms); });
    options.producer = ProducerOf(given);
    if (!given.Get("group").IsUndefined()) options.group = TextOf(given.Get("group"), "group");
    options.durable = given.Get("durable").ToBoolean();
    options.commit_ms = NumberOr(given, "commitMs", options.commit_ms);
    options.stop_ms = NumberOr(given, "stopMs", options.stop_ms);
    held_.Hold(info.Env(), publish::MakeViewPublisher(std::move(log), instruments_, std::move(options)));
  }
  void Finalize(Napi::Env env) override { held_.Finalize(env); }

 private:
  Napi::Value Start(const Napi::CallbackInfo& info) { return held_.Start(info); }
  Napi::Value Stop(const Napi::CallbackInfo& info) { return held_.Stop(info); }
  Napi::Value Stats(const Napi::CallbackInfo& info) { return held_.Stats(info); }
  static publish::ViewTopic ViewOf(const Napi::Object& item, std::uint32_t wait_ms) {
    publish::ViewTopic view;
    view.topic = TextOf(item.Get("topic"), "topic");
    view.options.encoding = ChoiceOf(item, "encoding", std::array{"json", "avro", "record"}, view.options.encoding);
    view.options.instrument_wait_ms = wait_ms;
    if (!item.Get("schemaIds").IsObject()) return view;
    const auto ids = item.Get("schemaIds").As<Napi::Object>();
    const auto set = [&](const char* name, std::initializer_list<RecordType> types) {
      for (const RecordType type : types) view.options.schema_ids[static_cast<std::size_t>(type)] = NumberOr(ids, name, 0);
    };
    set("trade", {RecordType::kTrade});
    set("quote", {RecordType::kQuote});
    set("ticker", {RecordType::kTicker});
    set("index", {RecordType::kIndex});
    set("depth", {RecordType::kDepth5, RecordType::kDepth10, RecordType::kDepth20});
    set("level", {RecordType::kLevel});
    set("bar", {RecordType::kBar});
    return view;
  }

  // addInstrument(id, symbol, priceExponent, sizeExponent): false when refused (see InstrumentTable::Add).
  Napi::Value Add(const Napi::CallbackInfo& info) {
    if (info.Length() < 4 || !info[0].IsNumber() || !info[1].IsString() || !info[2].IsNumber() || !info[3].IsNumber()) {
      throw Napi::TypeError::New(info.Env(),
                                 "addInstrument(id: number, symbol: string, priceExponent: number, sizeExponent: number)");
    }
    const int price = info[2].As<Napi::Number>().Int32Value();
    const int size = info[3].As<Napi::Number>().Int32Value();
    if (price < -18 || price > 18 || size < -18 || size > 18) return Napi::Boolean::New(info.Env(), false);
    const Instrument* added = instruments_->Add({.id = info[0].As<Napi::Number>().Uint32Value(),
                                                 .price_exponent = static_cast<std::int8_t>(price),
                                                 .size_exponent = static_cast<std::int8_t>(size),
                                                 .symbol = info[1].As<Napi::String>().Utf8Value(),
                                                 .key_hash = 0});
    return Napi::Boolean::New(info.Env(), added != nullptr);
  }

  Held held_;
  // Its own: a table of the main addon cannot be used from here.
  const std::shared_ptr<InstrumentTable> instruments_ = std::make_shared<InstrumentTable>();
};

}  // namespace

void RegisterPublish(Napi::Env env, Napi::Object exports) {
  NativeReplicator::Register(env, exports);
  NativeViewPublisher::Register(env, exports);
}

}  // namespace tw::kafka_addon
