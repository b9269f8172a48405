#include "kafka_addon/addon.h"

#include <librdkafka/rdkafka.h>

#include <array>
#include <string>

namespace tw::kafka_addon {
namespace {

// What librdkafka was built with.
Napi::Array Features(Napi::Env env) {
  std::array<char, 1024> text{};
  std::size_t size = text.size();
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  const bool known = rd_kafka_conf_get(conf, "builtin.features", text.data(), &size) == RD_KAFKA_CONF_OK;
  rd_kafka_conf_destroy(conf);
  auto features = Napi::Array::New(env);
  std::string rest = known ? text.data() : "";
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    features.Set(features.Length(), rest.substr(0, comma));
    rest.erase(0, comma + 1);
  }
  return features;
}

}  // namespace
}  // namespace tw::kafka_addon

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("version", rd_kafka_version_str());
  exports.Set("features", tw::kafka_addon::Features(env));
  tw::kafka_addon::RegisterAdmin(env, exports);
  tw::kafka_addon::RegisterLog(env, exports);
  tw::kafka_addon::RegisterPublish(env, exports);
  return exports;
}

NODE_API_MODULE(tickwire_kafka, Init)
