// NativeLog: an open log directory. Other addon files take it with LogOf; appenders and consumers are made from it.
#include "addon/handles.h"
#include "addon/log_parts.h"
#include "journal/group.h"

namespace tw::addon {
namespace {

constexpr napi_type_tag kLogTag = {0x7469636b77697265ull, 0x0000000000000002ull};

class NativeLog : public Napi::ObjectWrap<NativeLog> {
 public:
  static void Register(Napi::Env env, Napi::Object exports) {
    exports.Set("NativeLog",
                DefineClass(env, "NativeLog",
                            {InstanceAccessor<&NativeLog::Id>("id"), InstanceAccessor<&NativeLog::Directory>("directory"),
                             InstanceMethod<&NativeLog::EnsureTopic>("ensureTopic"), InstanceMethod<&NativeLog::Topics>("topics"),
                             InstanceMethod<&NativeLog::Describe>("describe"), InstanceMethod<&NativeLog::Committed>("committed"),
                             InstanceMethod<&NativeLog::DurableFloor>("durableFloor")}));
  }

  // new NativeLog(directory, {durability?: 0|1|2, syncIntervalMs?, readOnly?})
  explicit NativeLog(const Napi::CallbackInfo& info) : ObjectWrap(info), log(OpenLog(info)) {
    info.This().As<Napi::Object>().TypeTag(&kLogTag);
  }
  const std::shared_ptr<journal::Log> log;

 private:
  static std::shared_ptr<journal::Log> OpenLog(const Napi::CallbackInfo& info) {
    const std::string directory = TextOf(info[0], "directory");
    journal::LogOptions options;
    if (info[1].IsObject()) {
      const auto given = info[1].As<Napi::Object>();
      const std::uint64_t durability = FieldOr(given, "durability", 0);
      if (durability > 2) throw Napi::TypeError::New(info.Env(), "durability must be 0, 1 or 2");
      options.durability = static_cast<journal::Durability>(durability);
      options.sync_interval_ms = static_cast<std::uint32_t>(FieldOr(given, "syncIntervalMs", 100));
      options.read_only = given.Get("readOnly").ToBoolean();
    }
    std::string error;
    std::shared_ptr<journal::Log> opened = journal::Log::Open(directory, options, &error);
    if (opened == nullptr) throw Napi::Error::New(info.Env(), error);
    return opened;
  }

  Napi::Value Id(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), log->id()); }
  Napi::Value Directory(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), log->directory()); }

  // ensureTopic({name, partitions, segmentBytes, retentionMs, retentionBytes, compact}): status; throws with the reason
  // when the options themselves are refused.
  Napi::Value EnsureTopic(const Napi::CallbackInfo& info) {
    if (!info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "ensureTopic(options)");
    const auto given = info[0].As<Napi::Object>();
    journal::TopicOptions options;
    options.name = TextOf(given.Get("name"), "name");
    options.partitions = static_cast<std::uint32_t>(std::min<std::uint64_t>(FieldOr(given, "partitions", 1), 0xffffffffu));
    options.segment_bytes = FieldOr(given, "segmentBytes", options.segment_bytes);
    options.retention_ms = SignedOr(given, "retentionMs", -1);
    options.retention_bytes = SignedOr(given, "retentionBytes", -1);
    options.compact = given.Get("compact").ToBoolean();
    std::string error;
    const journal::Status status = log->EnsureTopic(options, &error);
    if (status == journal::Status::kInvalid) throw Napi::Error::New(info.Env(), error);
    return Napi::Number::New(info.Env(), static_cast<int>(status));
  }
  static std::int64_t SignedOr(const Napi::Object& object, const char* name, std::int64_t otherwise) {
    const Napi::Value value = object.Get(name);
    if (value.IsUndefined() || value.IsNull()) return otherwise;
    if (value.IsNumber() && value.As<Napi::Number>().DoubleValue() == -1) return -1;
    return static_cast<std::int64_t>(WholeOf(value, name));
  }

  Napi::Value Topics(const Napi::CallbackInfo& info) {
    const auto topics = log->ListTopics();
    auto list = Napi::Array::New(info.Env(), topics.size());
    for (std::size_t i = 0; i < topics.size(); ++i) {
      auto topic = Napi::Object::New(info.Env());
      topic.Set("name", topics[i].name);
      topic.Set("partitions", topics[i].partitions);
      topic.Set("segmentBytes", static_cast<double>(topics[i].segment_bytes));
      topic.Set("retentionMs", static_cast<double>(topics[i].retention_ms));
      topic.Set("retentionBytes", static_cast<double>(topics[i].retention_bytes));
      topic.Set("compact", topics[i].compact);
      list.Set(static_cast<std::uint32_t>(i), topic);
    }
    return list;
  }

  // describe(topic, partition): undefined when there is no such partition.
  Napi::Value Describe(const Napi::CallbackInfo& info) {
    journal::PartitionInfo found;
    const auto partition = static_cast<std::uint32_t>(WholeOf(info[1], "partition", 0xffffffff));
    if (log->Describe(TextOf(info[0], "topic"), partition, &found) != journal::Status::kOk) return info.Env().Undefined();
    auto result = Napi::Object::New(info.Env());
    result.Set("beginOffset", static_cast<double>(found.begin_offset));
    result.Set("endOffset", static_cast<double>(found.end_offset));
    result.Set("bytes", static_cast<double>(found.bytes));
    result.Set("segments", found.segments);
    result.Set("tsRecvNewest", Napi::BigInt::New(info.Env(), found.ts_recv_newest));
    return result;
  }

  // committed(group, topic, partition): the group's next offset; undefined when it has committed nothing.
  Napi::Value Committed(const Napi::CallbackInfo& info) {
    const auto partition = static_cast<std::uint32_t>(WholeOf(info[2], "partition", 0xffffffff));
    const auto offset = log->Committed(TextOf(info[0], "group"), TextOf(info[1], "topic"), partition);
    return offset.has_value() ? Napi::Number::New(info.Env(), static_cast<double>(*offset)) : info.Env().Undefined();
  }

  // durableFloor(topic, partition): the lowest offset a durable group still needs; undefined when none reads it.
  Napi::Value DurableFloor(const Napi::CallbackInfo& info) {
    const auto partition = static_cast<std::uint32_t>(WholeOf(info[1], "partition", 0xffffffff));
    const auto offset = journal::DurableFloor(log->directory(), log->id(), TextOf(info[0], "topic"), partition);
    return offset.has_value() ? Napi::Number::New(info.Env(), static_cast<double>(*offset)) : info.Env().Undefined();
  }
};

}  // namespace

std::shared_ptr<journal::Log> LogOf(const Napi::Value& value, const char* what) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kLogTag)) {
    throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a NativeLog");
  }
  return NativeLog::Unwrap(value.As<Napi::Object>())->log;
}

void RegisterLog(Napi::Env env, Napi::Object exports) {
  NativeLog::Register(env, exports);
  RegisterAppender(env, exports);
  RegisterConsumer(env, exports);
  RegisterBatch(env, exports);
}

}  // namespace tw::addon
