// NativeLog: an open log, of a directory or of an engine from another addon. Other addon files take it with LogOf; appenders and
// consumers are made from it. Calls that may wait for a network have a twin that gives a promise.
#include "addon/async_call.h"
#include "addon/engine_handle.h"
#include "addon/handles.h"
#include "addon/log_parts.h"
#include "addon/log_values.h"
#include "journal/engine_export.h"
#include "journal/engine_import.h"
#include "journal/group.h"

namespace tw::addon {
namespace {

constexpr napi_type_tag kLogTag = {0x7469636b77697265ull, 0x0000000000000002ull};

using journal::Status;

std::uint32_t PartitionOf(const Napi::Value& value) {
  return static_cast<std::uint32_t>(WholeOf(value, "partition", 0xffffffff));
}

class NativeLog : public Napi::ObjectWrap<NativeLog> {
 public:
  static void Register(Napi::Env env, Napi::Object exports) {
    exports.Set(
        "NativeLog",
        DefineClass(
            env, "NativeLog",
            {InstanceAccessor<&NativeLog::Id>("id"), InstanceAccessor<&NativeLog::Directory>("directory"),
             InstanceMethod<&NativeLog::EnsureTopic>("ensureTopic"), InstanceMethod<&NativeLog::Topics>("topics"),
             InstanceMethod<&NativeLog::Partitions>("partitions"), InstanceMethod<&NativeLog::Describe>("describe"),
             InstanceMethod<&NativeLog::Committed>("committed"), InstanceMethod<&NativeLog::EnsureTopicAsync>("ensureTopicAsync"),
             InstanceMethod<&NativeLog::TopicsAsync>("topicsAsync"), InstanceMethod<&NativeLog::DescribeAsync>("describeAsync"),
             InstanceMethod<&NativeLog::CommittedAsync>("committedAsync"),
             InstanceMethod<&NativeLog::DurableFloor>("durableFloor"), InstanceMethod<&NativeLog::Engine>("engine")}));
  }

  // new NativeLog(directory, {durability?: 0|1|2, syncIntervalMs?, readOnly?}) or new NativeLog(engine)
  explicit NativeLog(const Napi::CallbackInfo& info) : ObjectWrap(info), log(OpenLog(info)) {
    info.This().As<Napi::Object>().TypeTag(&kLogTag);
  }
  const std::shared_ptr<journal::Log> log;

 private:
  static std::shared_ptr<journal::Log> OpenLog(const Napi::CallbackInfo& info) {
    std::string error;
    std::shared_ptr<journal::Log> opened = IsEngine(info[0])
                                               ? journal::ImportEngine(EngineOf(info[0], "engine"), &error)
                                               : journal::Log::Open(TextOf(info[0], "directory"), LogOptionsOf(info[1]), &error);
    if (opened == nullptr) throw Napi::Error::New(info.Env(), error);
    return opened;
  }

  Napi::Value Id(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), log->id()); }
  Napi::Value Directory(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), log->directory()); }

  // ensureTopic({name, partitions, segmentBytes, retentionMs, retentionBytes, compact}): status; throws with the reason
  // when the options themselves are refused.
  struct Ensured {
    Status status = Status::kOk;
    std::string error;
  };
  static Ensured Ensure(journal::Log& on, const journal::TopicOptions& options) {
    Ensured result;
    result.status = on.EnsureTopic(options, &result.error);
    return result;
  }
  static Napi::Value EnsuredOf(Napi::Env env, const Ensured& result) {
    if (result.status == Status::kInvalid) throw Napi::Error::New(env, result.error);
    return Napi::Number::New(env, static_cast<int>(result.status));
  }
  Napi::Value EnsureTopic(const Napi::CallbackInfo& info) { return EnsuredOf(info.Env(), Ensure(*log, TopicOptionsOf(info[0]))); }
  Napi::Value EnsureTopicAsync(const Napi::CallbackInfo& info) {
    return AsyncCall<Ensured>::Start(
        info.Env(), [on = log, options = TopicOptionsOf(info[0])] { return Ensure(*on, options); }, EnsuredOf);
  }

  Napi::Value Topics(const Napi::CallbackInfo& info) { return TopicsOf(info.Env(), log->ListTopics()); }
  Napi::Value TopicsAsync(const Napi::CallbackInfo& info) {
    return AsyncCall<std::vector<journal::TopicOptions>>::Start(
        info.Env(), [on = log] { return on->ListTopics(); }, TopicsOf);
  }

  // partitions(topic): how many it has; undefined when there is no such topic.
  Napi::Value Partitions(const Napi::CallbackInfo& info) {
    journal::TopicOptions found;
    if (!log->FindTopic(TextOf(info[0], "topic"), &found)) return info.Env().Undefined();
    return Napi::Number::New(info.Env(), found.partitions);
  }

  // describe(topic, partition): undefined when there is no such partition.
  using Described = std::optional<journal::PartitionInfo>;
  static Described Look(const journal::Log& on, const std::string& topic, std::uint32_t partition) {
    journal::PartitionInfo found;
    return on.Describe(topic, partition, &found) == Status::kOk ? Described(found) : std::nullopt;
  }
  Napi::Value Describe(const Napi::CallbackInfo& info) {
    return PartitionInfoOf(info.Env(), Look(*log, TextOf(info[0], "topic"), PartitionOf(info[1])));
  }
  Napi::Value DescribeAsync(const Napi::CallbackInfo& info) {
    return AsyncCall<Described>::Start(
        info.Env(),
        [on = log, topic = TextOf(info[0], "topic"), partition = PartitionOf(info[1])] { return Look(*on, topic, partition); },
        PartitionInfoOf);
  }

  // committed(group, topic, partition): the group's next offset; undefined when it has committed nothing.
  Napi::Value Committed(const Napi::CallbackInfo& info) {
    return OffsetOf(info.Env(), log->Committed(TextOf(info[0], "group"), TextOf(info[1], "topic"), PartitionOf(info[2])));
  }
  Napi::Value CommittedAsync(const Napi::CallbackInfo& info) {
    return AsyncCall<std::optional<std::uint64_t>>::Start(
        info.Env(),
        [on = log, group = TextOf(info[0], "group"), topic = TextOf(info[1], "topic"), partition = PartitionOf(info[2])] {
          return on->Committed(group, topic, partition);
        },
        OffsetOf);
  }

  // durableFloor(topic, partition): the lowest offset a durable group still needs; undefined when none reads it.
  Napi::Value DurableFloor(const Napi::CallbackInfo& info) {
    if (log->directory().empty()) return info.Env().Undefined();  // An engine that keeps its own house.
    return OffsetOf(info.Env(),
                    journal::DurableFloor(log->directory(), log->id(), TextOf(info[0], "topic"), PartitionOf(info[1])));
  }

  // engine(): the log for another addon.
  Napi::Value Engine(const Napi::CallbackInfo& info) { return WrapEngine(info.Env(), journal::ExportEngine(log)); }
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
