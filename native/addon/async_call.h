// A call that may wait for a disk or a network: its work on the thread pool, its answer as a promise. For both addons.
#pragma once
#include <napi.h>

#include <functional>
#include <utility>

namespace tw::addon {

template <class Answer>
class AsyncCall : public Napi::AsyncWorker {
 public:
  using Work = std::function<Answer()>;                            // On a pool thread; an exception becomes a rejection.
  using Convert = std::function<Napi::Value(Napi::Env, Answer&)>;  // On the JavaScript thread; a Napi::Error too.

  static Napi::Promise Start(Napi::Env env, Work work, Convert convert) {
    auto* call = new AsyncCall(env, std::move(work), std::move(convert));
    const Napi::Promise promise = call->deferred_.Promise();
    call->Queue();
    return promise;
  }

 private:
  AsyncCall(Napi::Env env, Work work, Convert convert)
      : AsyncWorker(env, "tickwire.call"),
        deferred_(Napi::Promise::Deferred::New(env)),
        work_(std::move(work)),
        convert_(std::move(convert)) {}

  void Execute() override { answer_ = work_(); }
  void OnOK() override {
    try {
      deferred_.Resolve(convert_(Env(), answer_));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    }
  }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

  const Napi::Promise::Deferred deferred_;
  const Work work_;
  const Convert convert_;
  Answer answer_{};
};

}  // namespace tw::addon
