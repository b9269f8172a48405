#include "kafka_addon/values.h"

namespace tw::kafka_addon {
namespace {

constexpr double kCountMax = 2147483647.0;

std::int32_t CountOf(const Napi::Value& value, const char* what) {
  return static_cast<std::int32_t>(addon::WholeOf(value, what, kCountMax));
}

Napi::Array NumbersOf(Napi::Env env, const std::vector<std::int32_t>& numbers) {
  return ListOf(env, numbers, [](Napi::Env in, std::int32_t number) { return Napi::Number::New(in, number); });
}

Napi::Object AtOf(Napi::Env env, const kafka::TopicPartition& at) {
  auto object = Napi::Object::New(env);
  object.Set("topic", at.topic);
  object.Set("partition", at.partition);
  return object;
}

}  // namespace

Napi::Value ClusterOf(Napi::Env env, const kafka::ClusterInfo& cluster) {
  auto object = Napi::Object::New(env);
  object.Set("id", cluster.id);
  object.Set("controller", cluster.controller);
  object.Set("brokers", ListOf(env, cluster.brokers, [](Napi::Env in, const kafka::Broker& broker) {
               auto each = Napi::Object::New(in);
               each.Set("id", broker.id);
               each.Set("host", broker.host);
               each.Set("port", broker.port);
               return each;
             }));
  return object;
}

Napi::Value TopicOf(Napi::Env env, const kafka::TopicInfo& topic) {
  auto object = Napi::Object::New(env);
  object.Set("name", topic.name);
  object.Set("id", topic.id);
  object.Set("isInternal", topic.is_internal);
  object.Set("partitions", ListOf(env, topic.partitions, [](Napi::Env in, const kafka::PartitionState& state) {
               auto each = Napi::Object::New(in);
               each.Set("partition", state.partition);
               each.Set("leader", state.leader);
               each.Set("replicas", NumbersOf(in, state.replicas));
               each.Set("isr", NumbersOf(in, state.isr));
               return each;
             }));
  return object;
}

Napi::Value EntryOf(Napi::Env env, const kafka::ConfigEntry& entry) {
  auto object = Napi::Object::New(env);
  object.Set("name", entry.name);
  object.Set("value", entry.value.has_value() ? Napi::Value(Napi::String::New(env, *entry.value)) : env.Undefined());
  object.Set("isDefault", entry.is_default);
  return object;
}

Napi::Value ConfigOf(Napi::Env env, const kafka::ResourceConfig& config) {
  auto object = Napi::Object::New(env);
  object.Set("name", config.name);
  object.Set("entries", ListOf(env, config.entries, EntryOf));
  return object;
}

Napi::Value OutcomeOf(Napi::Env env, const kafka::Outcome& outcome) {
  auto object = Napi::Object::New(env);
  object.Set("name", outcome.name);
  if (outcome.failure) {
    object.Set("code", outcome.failure.code);
    object.Set("error", outcome.failure.text);
  }
  return object;
}

Napi::Value RangeOf(Napi::Env env, const kafka::OffsetRange& range) {
  Napi::Object object = AtOf(env, range.at);
  object.Set("begin", static_cast<double>(range.begin));
  object.Set("end", static_cast<double>(range.end));
  return object;
}

Napi::Value OffsetOf(Napi::Env env, const kafka::PartitionOffset& offset) {
  Napi::Object object = AtOf(env, offset.at);
  object.Set("offset", static_cast<double>(offset.offset));
  return object;
}

Napi::Value ListingOf(Napi::Env env, const kafka::GroupListing& group) {
  auto object = Napi::Object::New(env);
  object.Set("group", group.group);
  object.Set("state", group.state);
  object.Set("type", group.type);
  return object;
}

Napi::Value GroupOf(Napi::Env env, const kafka::GroupInfo& group) {
  auto object = Napi::Object::New(env);
  object.Set("group", group.group);
  object.Set("state", group.state);
  object.Set("type", group.type);
  object.Set("assignor", group.assignor);
  object.Set("coordinator", group.coordinator);
  object.Set("members", ListOf(env, group.members, [](Napi::Env in, const kafka::GroupMember& member) {
               auto each = Napi::Object::New(in);
               each.Set("id", member.id);
               each.Set("clientId", member.client_id);
               each.Set("host", member.host);
               each.Set("instanceId", member.instance_id.has_value() ? Napi::Value(Napi::String::New(in, *member.instance_id))
                                                                     : in.Undefined());
               each.Set("assignment", ListOf(in, member.assignment, AtOf));
               return each;
             }));
  return object;
}

kafka::NewTopic NewTopicOf(const Napi::Object& given) {
  const Napi::Value replication = given.Get("replicationFactor");
  const bool own = replication.IsNumber() && replication.As<Napi::Number>().DoubleValue() == -1;
  return {addon::TextOf(given.Get("name"), "name"), CountOf(given.Get("partitions"), "partitions"),
          own ? -1 : CountOf(replication, "replicationFactor"), PairsOf(given.Get("config"), "config")};
}

kafka::PartitionTotal TotalOf(const Napi::Object& given) {
  return {addon::TextOf(given.Get("name"), "name"), CountOf(given.Get("total"), "total")};
}

kafka::TopicConfig TopicConfigOf(const Napi::Object& given) {
  return {addon::TextOf(given.Get("name"), "name"), PairsOf(given.Get("config"), "config")};
}

kafka::TopicPartition PartitionOf(const Napi::Object& given) {
  return {addon::TextOf(given.Get("topic"), "topic"), CountOf(given.Get("partition"), "partition")};
}

kafka::PartitionOffset PartitionOffsetOf(const Napi::Object& given) {
  return {PartitionOf(given), static_cast<std::int64_t>(addon::WholeOf(given.Get("offset"), "offset"))};
}

}  // namespace tw::kafka_addon
