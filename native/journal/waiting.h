// Reading to the end before doing anything else, on a log whose messages may still be on their way.
#pragma once
#include <chrono>
#include <functional>
#include <thread>

#include "journal/log.h"

namespace tw::journal {

inline constexpr std::uint32_t kPatienceMs = 30'000;

// Next(), waiting out kPending; `beat` is called meanwhile. A message that does not come within the patience is kIoError.
inline Status NextWithin(Reader* reader, MessageView* out, const std::function<void()>& beat = {}, std::uint32_t patience_ms = kPatienceMs) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  for (;;) {
    const Status status = reader->Next(out);
    if (status != Status::kPending) return status;
    if (std::chrono::steady_clock::now() >= until) return Status::kIoError;
    if (beat) beat();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace tw::journal
