// listGroups, tsRecvAt: what tools want to know of consumer groups without joining one.
#include <time.h>

#include "addon/handles.h"
#include "addon/log_parts.h"
#include "journal/group_list.h"

namespace tw::addon {
namespace {

Napi::Value NumberOr(Napi::Env env, std::optional<std::uint64_t> value) {
  return value.has_value() ? Napi::Number::New(env, static_cast<double>(*value)) : env.Undefined();
}

Napi::Object ObjectOf(Napi::Env env, const journal::GroupInfo& group) {
  auto members = Napi::Array::New(env, group.members.size());
  for (std::size_t i = 0; i < group.members.size(); ++i) {
    auto member = Napi::Object::New(env);
    member.Set("pid", group.members[i].pid);
    member.Set("incarnation", group.members[i].incarnation);
    member.Set("heartbeatAgeMs", static_cast<double>(group.members[i].heartbeat_age_ms));
    members.Set(static_cast<std::uint32_t>(i), member);
  }
  auto topics = Napi::Array::New(env, group.topics.size());
  for (std::size_t i = 0; i < group.topics.size(); ++i) {
    const auto& from = group.topics[i].partitions;
    auto partitions = Napi::Array::New(env, from.size());
    for (std::size_t p = 0; p < from.size(); ++p) {
      auto partition = Napi::Object::New(env);
      partition.Set("owner", NumberOr(env, from[p].owner));
      partition.Set("committed", NumberOr(env, from[p].committed));
      partitions.Set(static_cast<std::uint32_t>(p), partition);
    }
    auto topic = Napi::Object::New(env);
    topic.Set("name", group.topics[i].name);
    topic.Set("partitions", partitions);
    topics.Set(static_cast<std::uint32_t>(i), topic);
  }
  auto result = Napi::Object::New(env);
  result.Set("name", group.name);
  result.Set("durable", group.durable);
  result.Set("members", members);
  result.Set("topics", topics);
  return result;
}

// listGroups(log): [{name, durable, members: [{pid, incarnation, heartbeatAgeMs}],
//                    topics: [{name, partitions: [{owner?, committed?}]}]}]
Napi::Value ListGroups(const Napi::CallbackInfo& info) {
  const auto log = LogOf(info[0], "log");
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto seconds = static_cast<std::uint64_t>(now.tv_sec);
  const auto groups =
      journal::ListGroups(log->directory(), log->id(), seconds * 1'000'000'000ull + static_cast<std::uint64_t>(now.tv_nsec));
  auto list = Napi::Array::New(info.Env(), groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i) list.Set(static_cast<std::uint32_t>(i), ObjectOf(info.Env(), groups[i]));
  return list;
}

// tsRecvAt(log, topic, partition, offset): ts_recv of the message at or behind the offset; undefined when there is none.
Napi::Value TsRecvAt(const Napi::CallbackInfo& info) {
  const auto log = LogOf(info[0], "log");
  const auto partition = static_cast<std::uint32_t>(WholeOf(info[2], "partition", 0xffffffff));
  auto status = journal::Status::kOk;
  const auto reader = log->OpenReader(TextOf(info[1], "topic"), partition, &status);
  const std::uint64_t offset = WholeOf(info[3], "offset");
  if (reader == nullptr || reader->SeekOffset(offset) != journal::Status::kOk) return info.Env().Undefined();
  journal::MessageView message;
  do {
    status = reader->Next(&message);
  } while (status == journal::Status::kSkipped || status == journal::Status::kExpired);
  if (status != journal::Status::kOk) return info.Env().Undefined();
  return Napi::BigInt::New(info.Env(), message.ts_recv);
}

}  // namespace

void RegisterLogGroups(Napi::Env env, Napi::Object exports) {
  exports.Set("listGroups", Napi::Function::New(env, ListGroups, "listGroups"));
  exports.Set("tsRecvAt", Napi::Function::New(env, TsRecvAt, "tsRecvAt"));
}

}  // namespace tw::addon
