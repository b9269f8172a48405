#include "kafka/client.h"

#include <array>
#include <mutex>

namespace tw::kafka {

struct Client::Shared {
  ClientEvents events;
  mutable std::mutex mutex;  // What follows.
  std::string last_error;
  std::map<std::string, std::uint64_t, std::less<>> told_ns;  // By kind of log line.
};

namespace {

// librdkafka says "brokers are down" twenty times a second while a call waits: once is enough.
bool Due(Client::Shared* shared, const std::string& kind) {
  const std::lock_guard lock(shared->mutex);
  std::uint64_t& told = shared->told_ns[kind];
  const std::uint64_t now = NowNs();
  if (told != 0 && now - told < 1'000'000'000ull) return false;
  told = now;
  return true;
}

void OnError(rd_kafka_t* rk, int code, const char* reason, void* opaque) {
  auto* shared = static_cast<Client::Shared*>(opaque);
  auto error = static_cast<rd_kafka_resp_err_t>(code);
  std::string text = reason == nullptr ? rd_kafka_err2str(error) : reason;
  const bool fatal = error == RD_KAFKA_RESP_ERR__FATAL;
  if (fatal) {
    std::array<char, 512> why{};
    error = rd_kafka_fatal_error(rk, why.data(), why.size());
    text = why.data();
  }
  {
    const std::lock_guard lock(shared->mutex);
    // "All brokers down" follows the reason and says less.
    if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || shared->last_error.empty()) shared->last_error = text;
  }
  if (shared->events.on_error && (fatal || Due(shared, rd_kafka_err2name(error)))) shared->events.on_error(error, text, fatal);
}

void OnLog(const rd_kafka_t* rk, int level, const char* facility, const char* text) {
  auto* shared = static_cast<Client::Shared*>(rd_kafka_opaque(rk));
  if (shared == nullptr || !shared->events.on_log || !Due(shared, std::string("log:") + facility)) return;
  shared->events.on_log(level, std::string(facility) + ": " + text);
}

}  // namespace

std::unique_ptr<Client> Client::Make(rd_kafka_type_t type, const Properties& properties, ClientEvents events, std::string* error,
                                     const std::function<void(rd_kafka_conf_t*)>& prepare) {
  std::unique_ptr<Client> client(new Client);
  client->shared_ = std::make_unique<Shared>();
  client->shared_->events = std::move(events);
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  std::array<char, 512> reason{};
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason.data(), reason.size()) == RD_KAFKA_CONF_OK) continue;
    // librdkafka's text repeats the value, which may be a secret.
    *error = "Kafka property " + name + " is not accepted" +
             (name.find("password") == std::string::npos && name.find("key") == std::string::npos ? std::string(": ") + reason.data() : "");
    rd_kafka_conf_destroy(conf);
    return nullptr;
  }
  // A producer that looks for a deleted topic would have the broker make it again, with the broker's number of partitions.
  (void)rd_kafka_conf_set(conf, "allow.auto.create.topics", "false", nullptr, 0);
  rd_kafka_conf_set_opaque(conf, client->shared_.get());
  rd_kafka_conf_set_error_cb(conf, OnError);
  rd_kafka_conf_set_log_cb(conf, OnLog);
  if (prepare) prepare(conf);
  client->handle_ = rd_kafka_new(type, conf, reason.data(), reason.size());
  if (client->handle_ == nullptr) {
    rd_kafka_conf_destroy(conf);
    *error = reason.data();
    return nullptr;
  }
  return client;
}

Client::~Client() {
  if (handle_ != nullptr) rd_kafka_destroy(handle_);
}

std::string Client::LastError() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->last_error;
}

Properties WithDefaults(const Properties& given) {
  Properties all = {
      {"client.id", "tickwire"},
      // A frozen broker is given up after seconds instead of a minute, and its successor is found at once.
      {"socket.timeout.ms", "4000"},
      {"topic.metadata.refresh.fast.interval.ms", "50"},
      {"retry.backoff.ms", "50"},
      {"retry.backoff.max.ms", "250"},
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "500"},
      // Leaders are asked for every second: a client that gives a frozen broker up before the controller does hears its old leader once more,
      // and would ask again only when the next connection to it fails. New partitions are seen by this, too.
      {"topic.metadata.refresh.interval.ms", "1000"},
  };
  for (const auto& [name, value] : given) all[name] = value;
  return all;
}

}  // namespace tw::kafka
