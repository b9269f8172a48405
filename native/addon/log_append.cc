// NativeAppender: appends messages to one partition from JavaScript. For low-rate topics (state, dead letters, status)
// and tests; feeds append natively. append() runs on the calling thread and takes microseconds; with durability `batch`
// appendAsync() waits for the disk on a thread of its own.
#include <mutex>
#include <vector>

#include "addon/async_call.h"
#include "addon/handles.h"
#include "addon/log_parts.h"
#include "model/stream.h"
#include "wire/batch.h"

namespace tw::addon {
namespace {

// What the log wants to know of a batch comes from its records, not from the caller.
bool Describe(journal::Appender::Message* message) {
  wire::BatchView batch;
  if (wire::BatchView::Parse(message->value, &batch) != wire::BatchError::kNone || batch.size() == 0) return false;
  message->count = batch.size();
  message->ts_recv = batch.info().ts_recv_first;
  for (std::uint32_t i = 0; i < batch.size(); ++i) {
    message->ts_recv_max = std::max(message->ts_recv_max, batch[i]->ts_recv);
    if (HasStream(batch[i]->type)) message->position_max = std::max(message->position_max, batch[i]->position());
  }
  return true;
}

struct Shared {
  std::shared_ptr<journal::Log> log;  // Outlives the appender.
  std::mutex mutex;                   // One thread at a time: the caller's or a call's.
  std::unique_ptr<journal::Appender> appender;
};

struct Request {
  std::vector<std::uint64_t> value;  // 8-aligned copy.
  std::string key;
  journal::Appender::Message message;
};

// The value is copied when it is not 8-aligned (a Buffer of the pool) or must outlive the call.
bool Take(const Napi::CallbackInfo& info, bool keep, Request* request) {
  const std::uint64_t kind = WholeOf(info[0], "kind", 2);
  request->key = info[1].IsUndefined() ? std::string() : TextOf(info[1], "key");
  const auto value = BytesOf(info[2], "value");
  request->message.kind = static_cast<journal::Kind>(kind);
  request->message.ts_recv = WholeOf(info[3], "tsRecv");
  request->message.key = request->key;
  request->message.value = value;
  if (keep || reinterpret_cast<std::uintptr_t>(value.data()) % 8 != 0) {
    request->value.resize((value.size() + 7) / 8);
    if (!value.empty()) std::memcpy(request->value.data(), value.data(), value.size());
    request->message.value = {reinterpret_cast<const std::uint8_t*>(request->value.data()), value.size()};
  }
  if (request->message.kind == journal::Kind::kOpaque) return true;
  return request->message.kind == journal::Kind::kBatch && Describe(&request->message);
}

Napi::Value Pair(Napi::Env env, const journal::AppendResult& result) {
  auto pair = Napi::Array::New(env, 2);
  pair.Set(0u, static_cast<int>(result.status));
  pair.Set(1u, static_cast<double>(result.offset));
  return pair;
}

class NativeAppender : public Napi::ObjectWrap<NativeAppender> {
 public:
  static void Register(Napi::Env env, Napi::Object exports) {
    exports.Set(
        "NativeAppender",
        DefineClass(
            env, "NativeAppender",
            {InstanceMethod<&NativeAppender::Append>("append"), InstanceMethod<&NativeAppender::AppendAsync>("appendAsync"),
             InstanceMethod<&NativeAppender::Sync>("sync"), InstanceMethod<&NativeAppender::Close>("close"),
             InstanceAccessor<&NativeAppender::Offset>("offset"), InstanceAccessor<&NativeAppender::OpenStatus>("status")}));
  }

  // new NativeAppender(log, topic, partition); `status` tells whether it could be opened.
  explicit NativeAppender(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    shared_->log = LogOf(info[0], "log");
    shared_->appender = shared_->log->OpenAppender(
        TextOf(info[1], "topic"), static_cast<std::uint32_t>(WholeOf(info[2], "partition", 0xffffffff)), &status_);
    if (shared_->appender == nullptr && status_ == journal::Status::kOk) status_ = journal::Status::kIoError;
  }

 private:
  // append(kind, key, value, tsRecv): status; the offset is in `offset`.
  Napi::Value Append(const Napi::CallbackInfo& info) {
    Request request;
    journal::AppendResult result{.status = journal::Status::kClosed};
    if (shared_->appender == nullptr) return Number(info, result.status);
    if (!Take(info, false, &request)) return Number(info, journal::Status::kInvalid);
    {
      const std::lock_guard lock(shared_->mutex);
      result = shared_->appender->Append(request.message);
    }
    offset_ = result.offset;
    return Number(info, result.status);
  }

  // The same, as a promise of [status, offset]. Calls that overlap have no order.
  Napi::Value AppendAsync(const Napi::CallbackInfo& info) {
    const std::shared_ptr<Request> request = std::make_shared<Request>();
    journal::AppendResult refused{.status = journal::Status::kClosed};
    if (shared_->appender != nullptr) refused.status = Take(info, true, request.get()) ? journal::Status::kOk : journal::Status::kInvalid;
    if (refused.status != journal::Status::kOk) {
      auto deferred = Napi::Promise::Deferred::New(info.Env());
      deferred.Resolve(Pair(info.Env(), refused));
      return deferred.Promise();
    }
    return AsyncCall<journal::AppendResult>::Start(
        info.Env(),
        [shared = shared_, request] {
          const std::lock_guard lock(shared->mutex);
          return shared->appender->Append(request->message);
        },
        Pair);
  }

  Napi::Value Sync(const Napi::CallbackInfo& info) {
    if (shared_->appender == nullptr) return Number(info, journal::Status::kClosed);
    const std::lock_guard lock(shared_->mutex);
    return Number(info, shared_->appender->Sync());
  }
  void Close(const Napi::CallbackInfo&) {
    shared_ = std::make_shared<Shared>();
    status_ = journal::Status::kClosed;
  }
  Napi::Value Offset(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), static_cast<double>(offset_)); }
  Napi::Value OpenStatus(const Napi::CallbackInfo& info) { return Number(info, status_); }
  static Napi::Value Number(const Napi::CallbackInfo& info, journal::Status status) {
    return Napi::Number::New(info.Env(), static_cast<int>(status));
  }

  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  journal::Status status_ = journal::Status::kOk;
  std::uint64_t offset_ = 0;
};

}  // namespace

void RegisterAppender(Napi::Env env, Napi::Object exports) { NativeAppender::Register(env, exports); }

}  // namespace tw::addon
