// Counts of durations in logarithmic buckets, 16 to an octave: a quantile is read within 6.3 %.
#pragma once
#include <array>
#include <bit>
#include <cstdint>

namespace tw::fanout {

class Histogram {
 public:
  void Add(std::uint64_t ns) {
    ++counts_[Index(ns)];
    ++total_;
  }
  std::uint64_t total() const { return total_; }
  // The upper edge of the bucket that holds the quantile; 0 when empty.
  std::uint64_t Quantile(double q) const {
    if (total_ == 0) return 0;
    const auto rank = static_cast<std::uint64_t>(q * static_cast<double>(total_ - 1)) + 1;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= rank) return Edge(i);
    }
    return Edge(counts_.size() - 1);
  }

 private:
  static constexpr unsigned kOctaves = 44;  // 16 ns … 4.9 hours.
  static std::size_t Index(std::uint64_t ns) {
    if (ns < 16) return ns;
    const unsigned octave = static_cast<unsigned>(std::bit_width(ns)) - 5;
    const std::size_t index = 16 + octave * 16 + ((ns >> octave) & 15);
    return index < kOctaves * 16 ? index : kOctaves * 16 - 1;
  }
  static std::uint64_t Edge(std::size_t index) {
    if (index < 16) return index;
    const std::size_t octave = index / 16 - 1;
    return (16 + index % 16 + 1) << octave;
  }
  std::array<std::uint64_t, kOctaves * 16> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace tw::fanout
