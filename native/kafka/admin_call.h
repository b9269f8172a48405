// One call of librdkafka's admin API: its options, the queue its answer comes on, and the wait for it.
#pragma once
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "kafka/admin.h"

namespace tw::kafka {

// The client's errors come beside the answers of calls, and say why a call had to time out. They stand until a call was answered:
// librdkafka tells the same error of the same broker once in half a minute.
struct Admin::Errors {
  struct Told {
    std::uint64_t sequence = 0;
    std::string text;
  };
  std::mutex mutex;  // What follows.
  std::uint64_t sequence = 0;
  std::map<rd_kafka_resp_err_t, Told> last;

  void Add(rd_kafka_resp_err_t error, const std::string& text);
  void Answered();
  std::uint64_t Now();
  // Credentials refused after `since`: nothing gets better by waiting.
  std::optional<Failure> Refused(std::uint64_t since);
  // What kept a call from its answer; `otherwise` when nothing was told.
  Failure Cause(Failure otherwise);
};

Failure FailureOf(rd_kafka_resp_err_t error, const char* text);  // False for NO_ERROR.
Failure FailureOf(const rd_kafka_error_t* error);                // Null: false.

class AdminCall {
 public:
  AdminCall(Admin* admin, rd_kafka_admin_op_t kind, int timeout_ms) : AdminCall(admin, kind, timeout_ms, admin->client_.get()) {}
  // Through another client than the admin's first.
  AdminCall(Admin* admin, rd_kafka_admin_op_t kind, int timeout_ms, Client* client);

  rd_kafka_t* client() const { return client_->handle(); }
  rd_kafka_AdminOptions_t* options() const { return options_.get(); }
  rd_kafka_queue_t* queue() const { return queue_.get(); }
  // Calls that Kafka can only check.
  void ValidateOnly();

  // The answer, which event() then gives; or why there is none.
  Failure Wait();
  rd_kafka_event_t* event() const { return event_.get(); }
  // The error of one item of an answer: one broker of several may not have answered.
  Failure Of(const rd_kafka_error_t* error) const { return Explained(FailureOf(error)); }
  Failure Of(rd_kafka_resp_err_t error) const { return Explained(FailureOf(error, nullptr)); }

  // Asks again while a group's coordinator moves or has just begun: that passes by itself.
  static Failure OfCoordinator(Admin* admin, int timeout_ms, const std::function<Failure(int left_ms)>& ask);

  // rd_kafka_metadata has no queue to wait on: this asks in short turns, so that Cancel and a refused password end it.
  static Failure Metadata(Admin* admin, int timeout_ms, const struct rd_kafka_metadata** out);

 private:
  template <auto kDestroy>
  struct Destroy {
    template <class T>
    void operator()(T* object) const {
      kDestroy(object);
    }
  };
  using Clock = std::chrono::steady_clock;

  Failure Explained(Failure failure) const;
  // False: go on waiting.
  static Failure Ended(Admin* admin, Client* client, std::uint64_t since, Clock::time_point begin);

  Admin* const admin_;
  Client* const client_;
  const rd_kafka_admin_op_t kind_;
  const Clock::time_point begin_;
  const Clock::time_point end_;
  const std::uint64_t since_;
  const std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>> options_;
  const std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>> queue_;
  std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>> event_;
};

}  // namespace tw::kafka
