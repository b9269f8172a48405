// Between JavaScript and the plain values of native/kafka. Fields have the names of src/native/kafka.ts.
#pragma once
#include <napi.h>

#include <string>
#include <vector>

#include "addon/arguments.h"
#include "kafka/admin_types.h"
#include "kafka/client.h"

namespace tw::kafka_addon {

// An Error whose `code` is Kafka's name of what is wrong.
inline Napi::Error ErrorOf(Napi::Env env, const kafka::Failure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.text);
  error.Set("code", failure.code);
  return error;
}

template <class T, class Convert>
Napi::Array ListOf(Napi::Env env, const std::vector<T>& items, const Convert& convert) {
  auto list = Napi::Array::New(env, items.size());
  for (std::size_t i = 0; i < items.size(); ++i) list.Set(static_cast<std::uint32_t>(i), convert(env, items[i]));
  return list;
}

// `take` makes a T of each object of a list.
template <class Take>
auto ItemsOf(const Napi::Value& value, const char* what, const Take& take) {
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a list");
  const auto list = value.As<Napi::Array>();
  std::vector<decltype(take(Napi::Object()))> items;
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value item = list.Get(i);
    if (!item.IsObject()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a list of objects");
    items.push_back(take(item.As<Napi::Object>()));
  }
  return items;
}

inline std::vector<std::string> TextsOf(const Napi::Value& value, const char* what) {
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a list of strings");
  const auto list = value.As<Napi::Array>();
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < list.Length(); ++i) texts.push_back(addon::TextOf(list.Get(i), what));
  return texts;
}

// Names to values: a topic's configuration, a client's properties.
inline std::map<std::string, std::string> PairsOf(const Napi::Value& value, const char* what) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be an object of strings");
  const auto object = value.As<Napi::Object>();
  const Napi::Array names = object.GetPropertyNames();
  std::map<std::string, std::string> pairs;
  for (std::uint32_t i = 0; i < names.Length(); ++i) {
    const std::string name = Napi::Value(names.Get(i)).ToString();
    pairs[name] = addon::TextOf(object.Get(name), name.c_str());
  }
  return pairs;
}

Napi::Value ClusterOf(Napi::Env env, const kafka::ClusterInfo& cluster);
Napi::Value TopicOf(Napi::Env env, const kafka::TopicInfo& topic);
Napi::Value EntryOf(Napi::Env env, const kafka::ConfigEntry& entry);
Napi::Value ConfigOf(Napi::Env env, const kafka::ResourceConfig& config);
Napi::Value OutcomeOf(Napi::Env env, const kafka::Outcome& outcome);
Napi::Value RangeOf(Napi::Env env, const kafka::OffsetRange& range);
Napi::Value OffsetOf(Napi::Env env, const kafka::PartitionOffset& offset);
Napi::Value ListingOf(Napi::Env env, const kafka::GroupListing& group);
Napi::Value GroupOf(Napi::Env env, const kafka::GroupInfo& group);

kafka::NewTopic NewTopicOf(const Napi::Object& given);
kafka::PartitionTotal TotalOf(const Napi::Object& given);
kafka::TopicConfig TopicConfigOf(const Napi::Object& given);
kafka::TopicPartition PartitionOf(const Napi::Object& given);
kafka::PartitionOffset PartitionOffsetOf(const Napi::Object& given);

}  // namespace tw::kafka_addon
