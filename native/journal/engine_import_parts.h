// What the files of the import share: the reference to the engine, and texts in and out.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "journal/engine_c.h"
#include "journal/group.h"

namespace tw::journal {

// One reference to the engine, shared by everything that was opened from it: whatever lives longest lets it go.
class Engine {
 public:
  explicit Engine(const tw_engine* given) : table(*given) { table.retain(table.log); }
  ~Engine() { table.release(table.log); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const tw_engine table;
};
using EnginePtr = std::shared_ptr<const Engine>;

inline tw_text TextOf(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ViewOf(tw_text text) { return {text.data, text.size}; }

// Where a text of the engine is written to; a reason or an id is never longer in practice, and is cut if it is.
class Text {
 public:
  tw_buffer* buffer() { return &buffer_; }
  std::string text() const { return std::string(buffer_.data, buffer_.size); }

 private:
  std::array<char, 2048> bytes_;
  tw_buffer buffer_ = {bytes_.data(), bytes_.size(), 0};
};

// engine_import_group.cc
std::unique_ptr<Group> JoinImportedGroup(EnginePtr engine, const GroupOptions& options, std::string* error);

}  // namespace tw::journal
