// Comma-separated rows from chunks cut anywhere: quoted fields ("" is a quote), CRLF or LF, last line without its end.
// Nothing here knows what a column means; that is CsvProgram.
#pragma once
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/reason.h"

namespace tw::decode {

inline constexpr std::size_t kCsvColumnsMax = 1024;  // Columns behind it are not looked at.
inline constexpr std::size_t kCsvRowMax = 1u << 20;  // A longer row is skipped and counted (bad_length).

// Fields of one row, without quotes. They point into `row` or `scratch`, which must outlive them.
void SplitCsvRow(std::string_view row, char delimiter, std::string* scratch, std::vector<std::string_view>* fields);

class CsvRows {
 public:
  explicit CsvRows(char delimiter) : delimiter_(delimiter) {}

  // Calls take(string_view row) for each complete row that is not blank, without its line end; refuse(Reason) for one too long.
  template <class Take, class Refuse>
  void Feed(std::span<const std::uint8_t> chunk, bool last, Take&& take, Refuse&& refuse) {
    std::string_view rest(reinterpret_cast<const char*>(chunk.data()), chunk.size());
    while (!rest.empty()) {
      bool ended = false;
      const std::size_t used = Scan(rest, &ended);
      const std::string_view piece = rest.substr(0, used);
      rest.remove_prefix(used);
      if (!skipping_ && carry_.size() + piece.size() > kCsvRowMax) {
        refuse(Reason::kBadLength);
        skipping_ = true;
        carry_.clear();
        state_ = State::kPlain;  // Its quotes are not believed: the next line end ends it.
      }
      if (!ended) {
        if (!skipping_) carry_.append(piece);
        continue;
      }
      if (!skipping_) {
        if (carry_.empty()) {
          TakeRow(piece, take);
        } else {
          carry_.append(piece);
          TakeRow(carry_, take);
          carry_.clear();
        }
      }
      skipping_ = false;
      state_ = State::kStart;
    }
    if (!last) return;
    if (!skipping_ && !carry_.empty()) TakeRow(carry_, take);
    carry_.clear();
    skipping_ = false;
    state_ = State::kStart;
  }

 private:
  enum class State : std::uint8_t { kStart, kPlain, kQuoted, kQuoteInQuoted };

  template <class Take>
  static void TakeRow(std::string_view row, Take&& take) {
    while (!row.empty() && (row.back() == '\n' || row.back() == '\r')) row.remove_suffix(1);
    if (!row.empty()) take(row);
  }
  // How much of `text` belongs to the row that goes on here; its line end included when it is there.
  std::size_t Scan(std::string_view text, bool* ended);

  char delimiter_;
  State state_ = State::kStart;
  bool skipping_ = false;
  std::string carry_;
};

}  // namespace tw::decode
