// What a client tells beside its answers, on its way from librdkafka's threads to a JavaScript function.
//
// Threads:  Tell from any. Does not keep the process alive.
// At end:   the environment's cleanup closes it; what is told later is dropped.
#pragma once
#include <napi.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace tw::kafka_addon {

class LogSink {
 public:
  // `on_log(level, text)`: levels are syslog's, 3 is an error.
  static std::shared_ptr<LogSink> Make(Napi::Env env, const Napi::Function& on_log) {
    auto sink = std::make_shared<LogSink>();
    auto* hook = new Hook{sink};
    sink->call_ = Napi::ThreadSafeFunction::New(env, on_log, "tickwire.kafka.log", 0, 1, hook, [](Napi::Env in, Hook* ended) {
      if (!ended->ran) napi_remove_env_cleanup_hook(in, &LogSink::OnCleanup, ended);
      delete ended;
    });
    sink->call_.Unref(env);
    // Added after the function's own hook, so it runs before it.
    napi_add_env_cleanup_hook(env, &LogSink::OnCleanup, hook);
    return sink;
  }
  ~LogSink() { Close(); }

  void Tell(int level, const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (!open_) return;
    auto* line = new std::pair<int, std::string>(level, text);
    const auto call = [](Napi::Env env, Napi::Function on_log, std::pair<int, std::string>* told) {
      const std::unique_ptr<std::pair<int, std::string>> owned(told);
      if (env != nullptr) on_log.Call({Napi::Number::New(env, told->first), Napi::String::New(env, told->second)});
    };
    if (call_.NonBlockingCall(line, call) != napi_ok) delete line;
  }

 private:
  struct Hook {
    std::weak_ptr<LogSink> sink;
    bool ran = false;
  };

  static void OnCleanup(void* data) {
    auto* hook = static_cast<Hook*>(data);
    hook->ran = true;
    if (const auto sink = hook->sink.lock()) sink->Close();
  }
  void Close() {
    const std::lock_guard lock(mutex_);
    if (!open_) return;
    open_ = false;
    call_.Release();
  }

  std::mutex mutex_;
  bool open_ = true;
  Napi::ThreadSafeFunction call_;
};

}  // namespace tw::kafka_addon
