// openKafkaLog: the log on a Kafka cluster, as an engine that the main addon takes.
#include "kafka/log.h"

#include "addon/async_call.h"
#include "addon/engine_handle.h"
#include "journal/engine_export.h"
#include "kafka_addon/addon.h"
#include "kafka_addon/log_sink.h"
#include "kafka_addon/values.h"

namespace tw::kafka_addon {
namespace {

constexpr int kErrorLevel = 3;  // syslog's.

struct Opened {
  std::shared_ptr<journal::Log> log;
  std::string error;
};

kafka::KafkaLogOptions OptionsOf(const Napi::Value& value) {
  kafka::KafkaLogOptions options;
  if (!value.IsObject()) return options;
  const auto given = value.As<Napi::Object>();
  const auto text_or = [&](const char* name, const std::string& otherwise) {
    const Napi::Value field = given.Get(name);
    return field.IsUndefined() ? otherwise : addon::TextOf(field, name);
  };
  options.group_protocol = text_or("groupProtocol", options.group_protocol);
  options.instance_id = text_or("instanceId", options.instance_id);
  options.replication =
      static_cast<std::int32_t>(addon::FieldOr(given, "replication", static_cast<std::uint64_t>(options.replication)));
  options.min_isr = static_cast<std::int32_t>(addon::FieldOr(given, "minIsr", static_cast<std::uint64_t>(options.min_isr)));
  options.timeout_ms = static_cast<int>(addon::FieldOr(given, "timeoutMs", static_cast<std::uint64_t>(options.timeout_ms)));
  if (given.Get("onLog").IsFunction()) {
    const auto sink = LogSink::Make(value.Env(), given.Get("onLog").As<Napi::Function>());
    options.events.on_log = [sink](int level, const std::string& line) { sink->Tell(level, line); };
    options.events.on_error = [sink](rd_kafka_resp_err_t error, const std::string& reason, bool) {
      sink->Tell(kErrorLevel, std::string(rd_kafka_err2name(error)) + ": " + reason);
    };
  }
  return options;
}

// openKafkaLog(properties, {groupProtocol?, instanceId?, replication?, minIsr?, timeoutMs?, onLog?}): a promise of an engine.
Napi::Value OpenKafkaLog(const Napi::CallbackInfo& info) {
  return addon::AsyncCall<Opened>::Start(
      info.Env(),
      [properties = PairsOf(info[0], "properties"), options = OptionsOf(info[1])] {
        Opened opened;
        opened.log = kafka::OpenLog(properties, options, &opened.error);
        return opened;
      },
      [](Napi::Env env, Opened& opened) -> Napi::Value {
        if (opened.log == nullptr) throw Napi::Error::New(env, opened.error);
        return addon::WrapEngine(env, journal::ExportEngine(std::move(opened.log)));
      });
}

}  // namespace

void RegisterLog(Napi::Env env, Napi::Object exports) {
  exports.Set("openKafkaLog", Napi::Function::New(env, OpenKafkaLog, "openKafkaLog"));
}

}  // namespace tw::kafka_addon
