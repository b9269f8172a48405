// Which open interval is due next. A binary heap in a total order, so that what leaves it does not depend on how it was
// filled: rebuilt from restored slots it gives the same bars in the same order. An entry whose slot is no longer open is
// stale and skipped by the reader.
#pragma once
#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

namespace tw::bars {

struct Due {
  std::uint64_t at = 0;  // The interval's end; 0: its source has ended.
  std::uint64_t start = 0;
  std::uint32_t interval_ms = 0;
  std::uint32_t instrument_id = 0;
  std::uint32_t node = 0;
  std::uint8_t source = 0;
  std::uint8_t basis = 0;
  std::uint8_t interval = 0;

  bool operator<(const Due& other) const {
    return std::tie(at, interval_ms, instrument_id, source, basis, start) <
           std::tie(other.at, other.interval_ms, other.instrument_id, other.source, other.basis, other.start);
  }
};

class DueQueue {
 public:
  bool empty() const { return heap_.empty(); }
  const Due& top() const { return heap_.front(); }
  void Push(const Due& due) {
    heap_.push_back(due);
    std::push_heap(heap_.begin(), heap_.end(), Later);
  }
  void Pop() {
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    heap_.pop_back();
  }
  void Clear() { heap_.clear(); }

 private:
  static bool Later(const Due& a, const Due& b) { return b < a; }
  std::vector<Due> heap_;
};

}  // namespace tw::bars
