// What the files of the export share: the log behind the table, texts in and out, and the guard around every call.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <string_view>

#include "journal/engine_c.h"
#include "journal/log.h"

namespace tw::journal {

struct ExportedLog {
  tw_engine table;
  std::shared_ptr<Log> log;
  std::atomic<std::uint32_t> references = 1;
};

inline Log& LogOf(void* log) { return *static_cast<ExportedLog*>(log)->log; }
inline const std::shared_ptr<Log>& SharedOf(void* log) { return static_cast<ExportedLog*>(log)->log; }

inline std::uint8_t Code(Status status) { return static_cast<std::uint8_t>(status); }
inline tw_text TextOf(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ViewOf(tw_text text) { return {text.data, text.size}; }

inline void Write(std::string_view text, tw_buffer* out) {
  if (out == nullptr) return;
  out->size = std::min(text.size(), out->capacity);
  if (out->size > 0) std::memcpy(out->data, text.data(), out->size);
}

// An exception must not unwind into another shared object.
template <class Call, class Answer>
Answer Guarded(Answer otherwise, const Call& call) noexcept {
  try {
    return call();
  } catch (...) {
    return otherwise;
  }
}
template <class Call>
void Guarded(const Call& call) noexcept {
  try {
    call();
  } catch (...) {
    // Nothing can be told where nothing is answered: the call had no effect.
    return;
  }
}
inline constexpr std::uint8_t kFailed = static_cast<std::uint8_t>(Status::kIoError);

// Each fills in its part of the table.
void AddObjects(tw_engine* table);  // engine_export_objects.cc: appenders, readers, waiters.
void AddGroups(tw_engine* table);   // engine_export_group.cc

}  // namespace tw::journal
