// What NativeLog takes and gives, between JavaScript and the log's own types.
#pragma once
#include <napi.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "addon/arguments.h"
#include "journal/log.h"

namespace tw::addon {

inline journal::LogOptions LogOptionsOf(const Napi::Value& value) {
  journal::LogOptions options;
  if (!value.IsObject()) return options;
  const auto given = value.As<Napi::Object>();
  const std::uint64_t durability = FieldOr(given, "durability", 0);
  if (durability > 2) throw Napi::TypeError::New(value.Env(), "durability must be 0, 1 or 2");
  options.durability = static_cast<journal::Durability>(durability);
  options.sync_interval_ms = static_cast<std::uint32_t>(FieldOr(given, "syncIntervalMs", 100));
  options.read_only = given.Get("readOnly").ToBoolean();
  return options;
}

inline std::int64_t SignedOr(const Napi::Object& object, const char* name, std::int64_t otherwise) {
  const Napi::Value value = object.Get(name);
  if (value.IsUndefined() || value.IsNull()) return otherwise;
  if (value.IsNumber() && value.As<Napi::Number>().DoubleValue() == -1) return -1;
  return static_cast<std::int64_t>(WholeOf(value, name));
}

inline journal::TopicOptions TopicOptionsOf(const Napi::Value& value) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "ensureTopic(options)");
  const auto given = value.As<Napi::Object>();
  journal::TopicOptions options;
  options.name = TextOf(given.Get("name"), "name");
  options.partitions = static_cast<std::uint32_t>(std::min<std::uint64_t>(FieldOr(given, "partitions", 1), 0xffffffffu));
  options.segment_bytes = FieldOr(given, "segmentBytes", options.segment_bytes);
  options.retention_ms = SignedOr(given, "retentionMs", -1);
  options.retention_bytes = SignedOr(given, "retentionBytes", -1);
  options.compact = given.Get("compact").ToBoolean();
  return options;
}

inline Napi::Value TopicsOf(Napi::Env env, const std::vector<journal::TopicOptions>& topics) {
  auto list = Napi::Array::New(env, topics.size());
  for (std::size_t i = 0; i < topics.size(); ++i) {
    auto topic = Napi::Object::New(env);
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

inline Napi::Value PartitionInfoOf(Napi::Env env, const std::optional<journal::PartitionInfo>& found) {
  if (!found.has_value()) return env.Undefined();
  auto result = Napi::Object::New(env);
  result.Set("beginOffset", static_cast<double>(found->begin_offset));
  result.Set("endOffset", static_cast<double>(found->end_offset));
  result.Set("bytes", static_cast<double>(found->bytes));
  result.Set("segments", found->segments);
  result.Set("tsRecvNewest", Napi::BigInt::New(env, found->ts_recv_newest));
  return result;
}

inline Napi::Value OffsetOf(Napi::Env env, const std::optional<std::uint64_t>& offset) {
  return offset.has_value() ? Napi::Number::New(env, static_cast<double>(*offset)) : env.Undefined();
}

}  // namespace tw::addon
