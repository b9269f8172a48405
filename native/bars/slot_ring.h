// The newest bars of a series, sorted by start: at most kRecentMax. Grows by doubling to its bound (an instrument that trades
// twice a day does not hold 64 slots), then allocates nothing more.
#pragma once
#include <cstdint>
#include <vector>

#include "bars/options.h"
#include "bars/slot.h"

namespace tw::bars {

class SlotRing {
 public:
  std::uint32_t size() const { return size_; }
  Slot& operator[](std::uint32_t i) { return slots_[(head_ + i) & (capacity() - 1)]; }
  const Slot& operator[](std::uint32_t i) const { return slots_[(head_ + i) & (capacity() - 1)]; }

  // The slot whose interval holds `ts`; null when there is none.
  Slot* Find(std::uint64_t ts) {
    if (size_ == 0) return nullptr;
    Slot& newest = (*this)[size_ - 1];
    if (ts >= newest.start) return ts < newest.end ? &newest : nullptr;
    const std::uint32_t i = CountBelow(ts);
    if (i == 0) return nullptr;
    Slot& slot = (*this)[i - 1];
    return ts < slot.end ? &slot : nullptr;
  }
  // A new slot at `start`, which no slot has. Null: the ring is full and `start` is older than all of it. When the oldest
  // has to leave, *evicted gets it and *has_evicted is true.
  Slot* Insert(std::uint64_t start, std::uint64_t end, Slot* evicted, bool* has_evicted) {
    *has_evicted = false;
    std::uint32_t at = size_ == 0 || start > (*this)[size_ - 1].start ? size_ : CountBelow(start);
    if (size_ == kRecentMax) {
      if (at == 0) return nullptr;
      *evicted = (*this)[0];
      *has_evicted = true;
      head_ = (head_ + 1) & (capacity() - 1);
      --size_;
      --at;
    }
    if (size_ == capacity()) Grow();
    for (std::uint32_t i = size_; i > at; --i) (*this)[i] = (*this)[i - 1];
    ++size_;
    Slot& slot = (*this)[at];
    slot = Slot{};
    slot.start = start;
    slot.end = end;
    return &slot;
  }

 private:
  std::uint32_t capacity() const { return static_cast<std::uint32_t>(slots_.size()); }
  // Slots that start at or before `ts`.
  std::uint32_t CountBelow(std::uint64_t ts) const {
    std::uint32_t low = 0;
    std::uint32_t high = size_;
    while (low < high) {
      const std::uint32_t middle = (low + high) / 2;
      if ((*this)[middle].start <= ts) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
  void Grow() {
    std::vector<Slot> larger(slots_.empty() ? 2 : slots_.size() * 2);
    for (std::uint32_t i = 0; i < size_; ++i) larger[i] = (*this)[i];
    slots_.swap(larger);
    head_ = 0;
  }
  std::vector<Slot> slots_;  // A power of two.
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace tw::bars
