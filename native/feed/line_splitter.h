// Cuts chunks into lines without copying those that lie whole within a chunk.
#pragma once
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace tw::feed {

class LineSplitter {
 public:
  explicit LineSplitter(std::size_t line_max) : line_max_(line_max) {}

  // Calls line(std::string_view) for each line, without its newline and a carriage return before it; calls too_long() once
  // for each line over the limit, which is skipped.
  template <class Line, class TooLong>
  void Feed(std::span<const std::uint8_t> chunk, bool last, Line&& line, TooLong&& too_long) {
    const char* at = reinterpret_cast<const char*>(chunk.data());
    const char* end = at + chunk.size();
    while (at != end) {
      const auto* newline = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
      const std::size_t length = static_cast<std::size_t>((newline != nullptr ? newline : end) - at);
      if (skipping_) {
        skipping_ = newline == nullptr;
      } else if (rest_.size() + length > line_max_) {
        too_long();
        rest_.clear();
        skipping_ = newline == nullptr;
      } else if (newline == nullptr) {
        rest_.append(at, length);
      } else if (rest_.empty()) {
        line(Trim({at, length}));
      } else {
        rest_.append(at, length);
        line(Trim(rest_));
        rest_.clear();
      }
      at = newline != nullptr ? newline + 1 : end;
    }
    if (!last) return;
    if (!rest_.empty()) line(Trim(rest_));
    rest_.clear();
    skipping_ = false;
  }

 private:
  static std::string_view Trim(std::string_view line) { return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line; }

  std::size_t line_max_;
  std::string rest_;
  bool skipping_ = false;
};

}  // namespace tw::feed
