// A call that may wait for a network: its work on a thread of its own, its answer as a promise. For both addons.
//
// Threads:  one per call. Not libuv's pool: its four threads also read files, and process.exit waits for all of them, which with
//           brokers away takes as long as their time-outs.
// At end:   an environment that ends cancels the call, where it was given how, and joins its thread: without that it waits for the
//           call's time-out.
#pragma once
#include <napi.h>

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace tw::addon {

template <class Answer>
class AsyncCall {
 public:
  using Work = std::function<Answer()>;                            // On the call's thread; an exception becomes a rejection.
  using Convert = std::function<Napi::Value(Napi::Env, Answer&)>;  // On the JavaScript thread; a Napi::Error too.
  using Cancel = std::function<void()>;  // Makes Work return soon. The environment is ending: nobody hears the answer.

  static Napi::Promise Start(Napi::Env env, Work work, Convert convert, Cancel cancel = {}) {
    auto* call = new AsyncCall(env, std::move(work), std::move(convert), std::move(cancel));
    const Napi::Promise promise = call->deferred_.Promise();
    call->done_ = Done::New(env, "tickwire.call", 0, 1, call, [](Napi::Env, void*, AsyncCall* ended) { delete ended; });
    // Added after the thread-safe function's own hook, so it runs before it: the thread is gone when that one closes.
    napi_add_env_cleanup_hook(env, &AsyncCall::OnCleanup, call);
    try {
      call->thread_ = std::thread([call] { call->Run(); });
    } catch (const std::system_error& error) {
      napi_remove_env_cleanup_hook(env, &AsyncCall::OnCleanup, call);
      call->deferred_.Reject(Napi::Error::New(env, std::string("no thread for the call: ") + error.what()).Value());
      call->done_.Release();
    }
    return promise;
  }

 private:
  static void OnDone(Napi::Env env, Napi::Function, AsyncCall* call, void*) {
    if (env == nullptr) return;  // The environment ended; `call` may be gone.
    call->thread_.join();
    napi_remove_env_cleanup_hook(env, &AsyncCall::OnCleanup, call);
    try {
      if (!call->answer_.has_value()) throw Napi::Error::New(env, call->error_);
      call->deferred_.Resolve(call->convert_(env, *call->answer_));
    } catch (const Napi::Error& error) {
      call->deferred_.Reject(error.Value());
    }
    call->done_.Release();  // Deletes the call.
  }
  using Done = Napi::TypedThreadSafeFunction<AsyncCall, void, &AsyncCall::OnDone>;

  AsyncCall(Napi::Env env, Work work, Convert convert, Cancel cancel)
      : deferred_(Napi::Promise::Deferred::New(env)),
        work_(std::move(work)),
        convert_(std::move(convert)),
        cancel_(std::move(cancel)) {}

  void Run() {
    try {
      answer_.emplace(work_());
    } catch (const std::exception& error) {
      error_ = error.what();
    }
    done_.NonBlockingCall();
  }
  static void OnCleanup(void* data) {
    auto* call = static_cast<AsyncCall*>(data);
    if (call->cancel_) call->cancel_();
    call->thread_.join();
    call->done_.Release();
  }

  const Napi::Promise::Deferred deferred_;
  const Work work_;
  const Convert convert_;
  const Cancel cancel_;
  Done done_;
  std::thread thread_;
  std::optional<Answer> answer_;
  std::string error_;
};

}  // namespace tw::addon
