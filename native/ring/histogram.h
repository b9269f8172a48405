// Log-linear histogram of nanoseconds: 16 steps per power of two, so a value is known to 6 %. One thread adds, any thread
// reads; a reader may see an addition a moment late, never a torn one.
#pragma once
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

namespace tw::ring {

class Histogram {
 public:
  static constexpr std::size_t kBuckets = 40 * 16;  // Up to 2^43 ns, 2.4 hours.

  void Add(std::uint64_t ns, std::uint64_t weight = 1) {
    auto& bucket = buckets_[Index(ns)];
    bucket.store(bucket.load(std::memory_order_relaxed) + weight, std::memory_order_relaxed);
    if (ns > max_.load(std::memory_order_relaxed)) max_.store(ns, std::memory_order_relaxed);
  }
  std::uint64_t count() const {
    std::uint64_t sum = 0;
    for (const auto& bucket : buckets_) sum += bucket.load(std::memory_order_relaxed);
    return sum;
  }
  std::uint64_t max() const { return max_.load(std::memory_order_relaxed); }
  // The upper edge of the bucket that holds the value at `fraction` of the count; 0 when empty.
  std::uint64_t Percentile(double fraction) const {
    const std::uint64_t total = count();
    if (total == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(fraction * static_cast<double>(total - 1)) + 1;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      seen += buckets_[i].load(std::memory_order_relaxed);
      if (seen >= wanted) return UpperEdge(i) < max() ? UpperEdge(i) : max();
    }
    return max();
  }

  static constexpr std::size_t Index(std::uint64_t ns) {
    if (ns < 16) return static_cast<std::size_t>(ns);
    const int shift = 63 - std::countl_zero(ns) - 4;
    const std::size_t index = static_cast<std::size_t>(shift + 1) * 16 + ((ns >> shift) & 15);
    return index < kBuckets ? index : kBuckets - 1;
  }
  static constexpr std::uint64_t UpperEdge(std::size_t index) {
    if (index < 16) return index;
    const std::size_t shift = index / 16 - 1;
    return ((16 + index % 16 + 1) << shift) - 1;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};
  std::atomic<std::uint64_t> max_{0};
};

}  // namespace tw::ring
