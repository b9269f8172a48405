// NativeGateway: the stream gateway as one object. Its threads are joined in stop(), when the object is collected, and when
// the environment ends, whichever comes first.
#include <atomic>
#include <cmath>
#include <memory>
#include <string>

#include "addon/addon.h"
#include "addon/handles.h"
#include "fanout/server.h"

namespace tw::addon {
namespace {

using fanout::Server;
using fanout::ServerOptions;

std::string Text(const Napi::Object& from, const char* name, const std::string& otherwise) {
  const Napi::Value value = from.Get(name);
  if (value.IsUndefined()) return otherwise;
  if (!value.IsString()) throw Napi::TypeError::New(from.Env(), std::string(name) + " must be a string");
  return value.As<Napi::String>();
}

template <class Number>
void Whole(const Napi::Object& from, const char* name, double least, double most, Number* out) {
  const Napi::Value value = from.Get(name);
  if (value.IsUndefined()) return;
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= least && number <= most) || number != std::floor(number)) {
    throw Napi::RangeError::New(from.Env(), std::string(name) + " must be a whole number from " + std::to_string(static_cast<std::uint64_t>(least)) + " to " +
                                                std::to_string(static_cast<std::uint64_t>(most)));
  }
  *out = static_cast<Number>(number);
}

std::vector<std::string> Texts(const Napi::Object& from, const char* name) {
  std::vector<std::string> out;
  const Napi::Value value = from.Get(name);
  if (value.IsUndefined()) return out;
  if (!value.IsArray()) throw Napi::TypeError::New(from.Env(), std::string(name) + " must be a list of strings");
  const auto list = value.As<Napi::Array>();
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value item = list[i];
    if (!item.IsString()) throw Napi::TypeError::New(from.Env(), std::string(name) + " must be a list of strings");
    out.push_back(item.As<Napi::String>());
  }
  return out;
}

ServerOptions OptionsOf(const Napi::Object& given) {
  ServerOptions options;
  options.host = Text(given, "host", options.host);
  Whole(given, "port", 0, 65535, &options.port);
  options.path = Text(given, "path", options.path);
  options.origins = Texts(given, "origins");
  options.hosts = Texts(given, "hosts");
  constexpr double kGiB = 1 << 30;
  fanout::ClientLimits& client = options.hub.client;
  Whole(given, "clientBytesMax", 4096, kGiB, &client.client_bytes_max);
  Whole(given, "snapshotBytesMax", 4096, kGiB, &client.snapshot_bytes_max);
  Whole(given, "controlBytesMax", 4096, kGiB, &client.control_bytes_max);
  Whole(given, "subscriptionsMax", 1, 65535, &client.subscriptions_max);
  Whole(given, "barHistory", 1, 100000, &options.hub.bar_history);
  Whole(given, "frameBytesMax", 4096, kGiB, &options.hub.frame_bytes_max);
  Whole(given, "messageBytesMax", 256, kGiB, &options.message_bytes_max);
  Whole(given, "clientsMax", 1, 1000000, &options.clients_max);
  Whole(given, "httpTimeoutMs", 10, 600000, &options.http_timeout_ms);
  Whole(given, "pingIntervalMs", 10, 3600000, &options.ping_interval_ms);
  Whole(given, "idleTimeoutMs", 20, 3600000, &options.idle_timeout_ms);
  Whole(given, "closeTimeoutMs", 10, 600000, &options.close_timeout_ms);
  Whole(given, "sendBufferBytes", 0, kGiB, &options.send_buffer_bytes);
  Whole(given, "warmRecords", 0, 1e12, &options.warm_records);
  Whole(given, "warmBars", 0, 1e12, &options.warm_bars);
  Whole(given, "instrumentWaitMs", 0, 60000, &options.instrument_wait_ms);
  const Napi::Value files = given.Get("files");
  if (files.IsUndefined()) return options;
  if (!files.IsArray()) throw Napi::TypeError::New(given.Env(), "files must be a list of {path, type, body}");
  const auto list = files.As<Napi::Array>();
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value item = list[i];
    if (!item.IsObject() || !item.As<Napi::Object>().Get("body").IsTypedArray()) throw Napi::TypeError::New(given.Env(), "files must be a list of {path, type, body: Uint8Array}");
    const auto file = item.As<Napi::Object>();
    const std::string type = Text(file, "type", "");
    const auto body = file.Get("body").As<Napi::TypedArray>();
    if (type.empty() || type.find_first_of("\r\n") != std::string::npos) throw Napi::TypeError::New(given.Env(), "a file's type must be a media type");
    const auto* bytes = static_cast<const char*>(body.ArrayBuffer().Data()) + body.ByteOffset();
    options.files[Text(file, "path", "")] = {type, std::string(bytes, body.ByteLength())};
  }
  return options;
}

class NativeGateway : public Napi::ObjectWrap<NativeGateway> {
 public:
  static void Register(Napi::Env env, Napi::Object exports) {
    exports.Set("NativeGateway",
                DefineClass(env, "NativeGateway",
                            {InstanceMethod<&NativeGateway::Start>("start"), InstanceMethod<&NativeGateway::StopFromScript>("stop"),
                             InstanceMethod<&NativeGateway::AddTopic>("addTopic"), InstanceMethod<&NativeGateway::InstrumentsChanged>("instrumentsChanged"),
                             InstanceMethod<&NativeGateway::Stats>("stats")}));
  }

  // new NativeGateway(logs, instruments, options, onUnknownInstrument?)
  explicit NativeGateway(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    if (!info[0].IsArray() || info[0].As<Napi::Array>().Length() == 0) throw Napi::TypeError::New(info.Env(), "logs must be a list of NativeLog");
    std::vector<std::shared_ptr<journal::Log>> logs;
    for (std::uint32_t i = 0; i < info[0].As<Napi::Array>().Length(); ++i) logs.push_back(LogOf(info[0].As<Napi::Array>().Get(i), "log"));
    auto instruments = InstrumentsOf(info[1], "instruments");
    if (!info[2].IsObject()) throw Napi::TypeError::New(info.Env(), "new NativeGateway(logs, instruments, options, onUnknownInstrument?)");
    ServerOptions options = OptionsOf(info[2].As<Napi::Object>());
    const auto topics = Texts(info[2].As<Napi::Object>(), "topics");
    if (info.Length() > 3 && info[3].IsFunction()) {
      wake_ = Napi::ThreadSafeFunction::New(info.Env(), info[3].As<Napi::Function>(), "tickwire.gateway", 1, 1);
      wake_.Unref(info.Env());
      has_wake_ = true;
      // One slot: while a call waits, further ids are not queued; whoever answers reads the whole registry.
      options.on_unknown_instrument = [this](std::uint32_t id) {
        (void)wake_.NonBlockingCall([id](Napi::Env env, Napi::Function callback) { callback.Call({Napi::Number::New(env, id)}); });
      };
    }
    server_ = std::make_unique<Server>(std::move(logs), std::move(instruments), std::move(options));
    for (const auto& topic : topics) {
      if (!server_->AddTopic(topic)) {
        Stop();
        throw Napi::RangeError::New(info.Env(), "not a topic's name: " + topic);
      }
    }
    env_ = info.Env();
    // Added after the thread-safe function, so it runs before that one's own end.
    napi_add_env_cleanup_hook(env_, OnEnvEnds, this);
    hooked_ = true;
  }
  ~NativeGateway() override {
    Stop();
    if (hooked_) napi_remove_env_cleanup_hook(env_, OnEnvEnds, this);
  }

 private:
  static void OnEnvEnds(void* self) {
    auto* gateway = static_cast<NativeGateway*>(self);
    gateway->hooked_ = false;
    gateway->Stop();
  }
  void Stop() {
    if (server_ != nullptr) server_->Stop();
    if (has_wake_) {
      has_wake_ = false;
      wake_.Abort();
    }
  }

  Napi::Value Start(const Napi::CallbackInfo& info) {
    std::string error;
    if (!server_->Start(&error)) throw Napi::Error::New(info.Env(), error);
    if (has_wake_) wake_.Ref(info.Env());  // A running gateway keeps the process alive, like every listening server.
    return Napi::Number::New(info.Env(), server_->port());
  }
  void StopFromScript(const Napi::CallbackInfo&) { Stop(); }
  Napi::Value AddTopic(const Napi::CallbackInfo& info) {
    if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "addTopic(name: string)");
    return Napi::Boolean::New(info.Env(), server_->AddTopic(info[0].As<Napi::String>()));
  }
  void InstrumentsChanged(const Napi::CallbackInfo&) { server_->InstrumentsChanged(); }

  Napi::Value Stats(const Napi::CallbackInfo& info) {
    const fanout::ServerStats stats = server_->stats();
    Napi::Object out = Napi::Object::New(info.Env());
    const auto set = [&](Napi::Object& into, const char* name, std::uint64_t value) { into.Set(name, Napi::Number::New(info.Env(), static_cast<double>(value))); };
    set(out, "clients", stats.clients);
    set(out, "subscriptions", stats.subscriptions);
    set(out, "offered", stats.accounts.offered);
    set(out, "delivered", stats.accounts.delivered);
    set(out, "conflated", stats.accounts.conflated);
    set(out, "dropped", stats.accounts.dropped);
    set(out, "gapNotices", stats.accounts.gap_notices);
    set(out, "snapshotRecords", stats.accounts.snapshots);
    set(out, "connections", stats.connections_total);
    set(out, "connectionsRefused", stats.connections_refused);
    set(out, "httpRequests", stats.http_requests);
    set(out, "httpErrors", stats.http_errors);
    set(out, "frameErrors", stats.frame_errors);
    set(out, "commandsRefused", stats.commands_refused);
    set(out, "slowDisconnects", stats.slow_disconnects);
    set(out, "idleDisconnects", stats.idle_disconnects);
    set(out, "framesSent", stats.frames_sent);
    set(out, "bytesSent", stats.bytes_sent);
    set(out, "sends", stats.sends);
    set(out, "bytesWaiting", stats.bytes_waiting);
    set(out, "bytesWaitingMax", stats.bytes_waiting_max);
    set(out, "appendToSendNsP50", stats.append_to_send_ns_p50);
    set(out, "appendToSendNsP99", stats.append_to_send_ns_p99);
    set(out, "receiveToSendNsP50", stats.receive_to_send_ns_p50);
    set(out, "receiveToSendNsP99", stats.receive_to_send_ns_p99);
    Napi::Object topics = Napi::Object::New(info.Env());
    for (const auto& [name, counters] : stats.topics) {
      Napi::Object topic = Napi::Object::New(info.Env());
      set(topic, "records", counters.records);
      set(topic, "repeats", counters.repeats);
      set(topic, "withoutStream", counters.without_stream);
      set(topic, "badBatches", counters.bad_batches);
      set(topic, "unknownTypes", counters.unknown_types);
      set(topic, "unknownInstruments", counters.unknown_instruments);
      set(topic, "lostOffsets", counters.lost_offsets);
      topics.Set(name, topic);
    }
    out.Set("topics", topics);
    return out;
  }

  napi_env env_ = nullptr;
  bool hooked_ = false;
  bool has_wake_ = false;
  Napi::ThreadSafeFunction wake_;
  std::unique_ptr<Server> server_;
};

}  // namespace

void RegisterGateway(Napi::Env env, Napi::Object exports) { NativeGateway::Register(env, exports); }

}  // namespace tw::addon
