#include "kafka/admin_call.h"

#include <algorithm>
#include <array>
#include <thread>

namespace tw::kafka {
namespace {

constexpr int kTurnMs = 50;          // How late Cancel and the client's own errors may be seen.
constexpr int kAnswerSlackMs = 500;  // librdkafka ends a call by itself at its time-out, with a better reason than ours.
constexpr int kTriedMs = 1000;       // Twice the longest pause between two attempts to connect.
constexpr int kMetadataTurnMsMax = 2000;

bool IsAway(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__TIMED_OUT || error == RD_KAFKA_RESP_ERR__TRANSPORT ||
         error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
}

// Calls whose answer is whole although no broker may have answered: errors stand in its items.
bool AsksSeveral(rd_kafka_admin_op_t kind) {
  switch (kind) {
    case RD_KAFKA_ADMIN_OP_LISTOFFSETS:
    case RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS:
    case RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS:
    case RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS:
    case RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS:
    case RD_KAFKA_ADMIN_OP_DELETEGROUPS: return true;
    default: return false;
  }
}

}  // namespace

void Admin::Errors::Add(rd_kafka_resp_err_t error, const std::string& text) {
  // With TLS 1.3 the broker refuses our certificate after the handshake, and librdkafka calls that a lost connection.
  const bool refused = error == RD_KAFKA_RESP_ERR__TRANSPORT && text.find("SSL alert") != std::string::npos;
  const std::lock_guard lock(mutex);
  last[refused ? RD_KAFKA_RESP_ERR__SSL : error] = {++sequence, text};
}

void Admin::Errors::Answered() {
  const std::lock_guard lock(mutex);
  last.clear();
}

std::uint64_t Admin::Errors::Now() {
  const std::lock_guard lock(mutex);
  return sequence;
}

std::optional<Failure> Admin::Errors::Refused(std::uint64_t since) {
  const std::lock_guard lock(mutex);
  const auto told = last.find(RD_KAFKA_RESP_ERR__AUTHENTICATION);
  if (told == last.end() || told->second.sequence <= since) return std::nullopt;
  return FailureOf(told->first, told->second.text.c_str());
}

Failure Admin::Errors::Cause(Failure otherwise) {
  const std::lock_guard lock(mutex);
  for (const rd_kafka_resp_err_t error :
       {RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR__RESOLVE}) {
    if (const auto told = last.find(error); told != last.end()) return FailureOf(error, told->second.text.c_str());
  }
  // One broker that is away is no reason; that all are is one, and the text about a broker says more than that.
  const auto down = last.find(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN);
  if (down == last.end()) return otherwise;
  const auto away = last.find(RD_KAFKA_RESP_ERR__TRANSPORT);
  return FailureOf(down->first, (away == last.end() ? down : away)->second.text.c_str());
}

Failure FailureOf(rd_kafka_resp_err_t error, const char* text) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  // The client's own name of it, when the broker's is known too.
  const char* code = error == RD_KAFKA_RESP_ERR__AUTHENTICATION ? "SASL_AUTHENTICATION_FAILED" : rd_kafka_err2name(error);
  return {code, text == nullptr || *text == '\0' ? rd_kafka_err2str(error) : text};
}

Failure FailureOf(const rd_kafka_error_t* error) {
  return error == nullptr ? Failure{} : FailureOf(rd_kafka_error_code(error), rd_kafka_error_string(error));
}

AdminCall::AdminCall(Admin* admin, rd_kafka_admin_op_t kind, int timeout_ms, Client* client)
    : admin_(admin),
      client_(client),
      kind_(kind),
      begin_(Clock::now()),
      end_(begin_ + std::chrono::milliseconds(timeout_ms + kAnswerSlackMs)),
      since_(admin->errors_->Now()),
      options_(rd_kafka_AdminOptions_new(client->handle(), kind)),
      queue_(rd_kafka_queue_new(client->handle())) {
  std::array<char, 256> ignored{};
  rd_kafka_AdminOptions_set_request_timeout(options_.get(), std::max(timeout_ms, 1), ignored.data(), ignored.size());
  // How long the controller waits until what it made is there; calls that make nothing do not take it.
  rd_kafka_AdminOptions_set_operation_timeout(options_.get(), std::max(timeout_ms, 1), ignored.data(), ignored.size());
}

void AdminCall::ValidateOnly() {
  std::array<char, 256> ignored{};
  rd_kafka_AdminOptions_set_validate_only(options_.get(), 1, ignored.data(), ignored.size());
}

Failure AdminCall::Ended(Admin* admin, Client* client, std::uint64_t since, Clock::time_point begin) {
  if (admin->cancelled_) return FailureOf(RD_KAFKA_RESP_ERR__DESTROY, "the client was closed");
  rd_kafka_poll(client->handle(), 0);  // Calls on_error.
  // An earlier refusal stands again when the client had time to try once more.
  const bool tried = Clock::now() - begin > std::chrono::milliseconds(kTriedMs);
  return admin->errors_->Refused(tried ? 0 : since).value_or(Failure{});
}

Failure AdminCall::Wait() {
  while (true) {
    if (Failure ended = Ended(admin_, client_, since_, begin_)) return ended;
    event_.reset(rd_kafka_queue_poll(queue_.get(), kTurnMs));
    if (event_ != nullptr) break;
    if (Clock::now() >= end_) return admin_->errors_->Cause(FailureOf(RD_KAFKA_RESP_ERR__TIMED_OUT, nullptr));
  }
  const rd_kafka_resp_err_t error = rd_kafka_event_error(event_.get());
  if (!IsAway(error) && !AsksSeveral(kind_)) admin_->errors_->Answered();
  return Explained(FailureOf(error, rd_kafka_event_error_string(event_.get())));
}

Failure AdminCall::Explained(Failure failure) const {
  const bool away = failure.code == "_TIMED_OUT" || failure.code == "_TRANSPORT" || failure.code == "_ALL_BROKERS_DOWN";
  return away ? admin_->errors_->Cause(std::move(failure)) : failure;
}

Failure AdminCall::OfCoordinator(Admin* admin, int timeout_ms, const std::function<Failure(int left_ms)>& ask) {
  const auto end = Clock::now() + std::chrono::milliseconds(timeout_ms);
  while (true) {
    const auto left_ms = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    Failure failure = ask(static_cast<int>(std::max<std::int64_t>(left_ms, 1)));
    const bool passes = failure.code == "NOT_COORDINATOR" || failure.code == "COORDINATOR_NOT_AVAILABLE" ||
                        failure.code == "COORDINATOR_LOAD_IN_PROGRESS";
    if (!passes || admin->cancelled_ || Clock::now() + std::chrono::milliseconds(kTurnMs) >= end) return failure;
    std::this_thread::sleep_for(std::chrono::milliseconds(kTurnMs));
  }
}

Failure AdminCall::Metadata(Admin* admin, int timeout_ms, const struct rd_kafka_metadata** out) {
  const std::uint64_t since = admin->errors_->Now();
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::milliseconds(timeout_ms);
  // The turns grow: a slow cluster gets the time it needs.
  for (int turn_ms = 500;; turn_ms = std::min(turn_ms * 2, kMetadataTurnMsMax)) {
    if (Failure ended = Ended(admin, admin->client_.get(), since, begin)) return ended;
    const auto left_ms = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count());
    const rd_kafka_resp_err_t error =
        rd_kafka_metadata(admin->client_->handle(), 1, nullptr, out, std::clamp(left_ms, 1, turn_ms));
    if (!IsAway(error)) {
      admin->errors_->Answered();
      return FailureOf(error, nullptr);
    }
    if (Clock::now() >= end) {
      if (Failure ended = Ended(admin, admin->client_.get(), since, begin)) return ended;
      return admin->errors_->Cause(FailureOf(error, nullptr));
    }
  }
}

}  // namespace tw::kafka
