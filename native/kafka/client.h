// One librdkafka client: configuration in, handle and readable errors out. The only place that makes rd_kafka_t objects.
//
// Threads: a Client is thread-safe as librdkafka is; its callbacks run on whichever thread polls it.
#pragma once
#include <librdkafka/rdkafka.h>
#include <time.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace tw::kafka {

// librdkafka's own property names and values. Holds passwords: never printed, never part of an error.
using Properties = std::map<std::string, std::string>;

// What a client tells beside its answers; may be called from librdkafka's own threads.
struct ClientEvents {
  // An error that librdkafka goes on from by itself (all brokers down, authentication) or not (fatal).
  std::function<void(rd_kafka_resp_err_t error, const std::string& reason, bool fatal)> on_error;
  std::function<void(int level, const std::string& text)> on_log;  // At most one in a second of each kind.
};

inline std::uint64_t NowNs() {  // Monotonic.
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000ull + static_cast<std::uint64_t>(now.tv_nsec);
}

class Client {
 public:
  // Null: *error names the property and why. `conf` may carry callbacks; it is consumed.
  static std::unique_ptr<Client> Make(rd_kafka_type_t type, const Properties& properties, ClientEvents events, std::string* error,
                                      const std::function<void(rd_kafka_conf_t*)>& prepare = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_t* handle() const { return handle_; }
  // The last error told by on_error, empty when none: what a time-out most likely comes from.
  std::string LastError() const;

  struct Shared;  // Lives as long as callbacks may come.

 private:
  Client() = default;
  std::unique_ptr<Shared> shared_;
  rd_kafka_t* handle_ = nullptr;
};

// Broker settings with which holes stay short when a broker dies or freezes (docs/operations); the caller's win.
Properties WithDefaults(const Properties& given);

}  // namespace tw::kafka
