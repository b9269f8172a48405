// A sparse index of one segment, in memory: where frames begin, with the running maxima before them. Grown by scanning frame
// headers when somebody seeks, so appends pay nothing for it.
#pragma once
#include <cstdint>
#include <mutex>
#include <vector>

namespace tw::journal {

class Segment;

class SegmentIndex {
 public:
  struct Entry {
    std::uint64_t at = 0;      // Of a frame in the file.
    std::uint64_t offset = 0;  // Its first offset.
    std::uint64_t ts_recv_max = 0;   // Of all frames before it.
    std::uint64_t position_max = 0;
    std::uint64_t ts_recv_min = 0;   // ~0: none.
  };

  // The last entry from which no wanted frame lies before: its frames are walked from there. `limit`: bytes of the segment that
  // are published.
  Entry ForOffset(const Segment& segment, std::uint64_t limit, std::uint64_t offset);
  Entry ForTime(const Segment& segment, std::uint64_t limit, std::uint64_t ts_recv);
  Entry ForPosition(const Segment& segment, std::uint64_t limit, std::uint64_t position);
  // The state behind the last frame before `limit`: for the seal.
  Entry Totals(const Segment& segment, std::uint64_t limit);

 private:
  void Extend(const Segment& segment, std::uint64_t limit);
  template <class Before>
  Entry Last(const Segment& segment, std::uint64_t limit, Before before);

  std::mutex mutex_;
  std::vector<Entry> entries_;
  Entry tail_;  // Behind the last frame scanned.
};

}  // namespace tw::journal
