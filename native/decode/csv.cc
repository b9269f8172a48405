#include "decode/csv.h"

#include <algorithm>

namespace tw::decode {

std::size_t CsvRows::Scan(std::string_view text, bool* ended) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (state_ == State::kStart || state_ == State::kPlain) {
      // A stretch without a quote is plain whatever it holds: the usual row is two searches.
      const void* line_end = std::memchr(text.data() + at, '\n', text.size() - at);
      const std::size_t end = line_end == nullptr ? text.size() : static_cast<std::size_t>(static_cast<const char*>(line_end) - text.data());
      if (skipping_ || std::memchr(text.data() + at, '"', end - at) == nullptr) {
        if (end > at) state_ = text[end - 1] == delimiter_ ? State::kStart : State::kPlain;
        if (line_end == nullptr) return text.size();
        *ended = true;
        return end + 1;
      }
    }
    // A row with quotes goes byte by byte to its end.
    for (; at < text.size(); ++at) {
      const char c = text[at];
      switch (state_) {
        case State::kQuoted:
          if (c == '"') state_ = State::kQuoteInQuoted;
          continue;
        case State::kStart:
          if (c == '"') {
            state_ = State::kQuoted;
            continue;
          }
          break;
        case State::kQuoteInQuoted:
          if (c == '"') {
            state_ = State::kQuoted;
            continue;
          }
          break;
        case State::kPlain: break;
      }
      if (c == '\n') {
        *ended = true;
        return at + 1;
      }
      state_ = c == delimiter_ ? State::kStart : State::kPlain;
    }
  }
  return text.size();
}

void SplitCsvRow(std::string_view row, char delimiter, std::string* scratch, std::vector<std::string_view>* fields) {
  fields->clear();
  const bool quoted = std::memchr(row.data(), '"', row.size()) != nullptr;
  if (quoted) {
    scratch->clear();
    scratch->reserve(row.size());  // Fields point into it: it must not move.
  }
  std::size_t at = 0;
  while (fields->size() < kCsvColumnsMax) {
    if (quoted && at < row.size() && row[at] == '"') {
      const std::size_t begin = scratch->size();
      for (++at; at < row.size(); ++at) {
        if (row[at] != '"') {
          scratch->push_back(row[at]);
        } else if (at + 1 < row.size() && row[at + 1] == '"') {
          scratch->push_back('"');
          ++at;
        } else {
          ++at;
          break;
        }
      }
      while (at < row.size() && row[at] != delimiter) scratch->push_back(row[at++]);
      fields->push_back(std::string_view(*scratch).substr(begin));
    } else {
      const std::size_t end = std::min(row.find(delimiter, at), row.size());
      fields->push_back(row.substr(at, end - at));
      at = end;
    }
    if (at >= row.size()) return;
    ++at;  // The delimiter.
    if (at == row.size()) {
      fields->push_back({});  // "a," has two fields.
      return;
    }
  }
}

}  // namespace tw::decode
