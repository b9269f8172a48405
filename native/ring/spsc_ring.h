// Fixed-capacity ring of 64-byte slots between the thread that decodes a feed and the batcher. A record takes as many
// contiguous slots as it needs; the hot ones take one.
// Threads:    one producer calls TryPush, one consumer calls Drain.
// Ownership:  slots are allocated once, in the constructor.
// When full:  TryPush returns false. It never blocks and never throws; what then happens is the caller's policy.
#pragma once
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

#include "model/record.h"

namespace tw::ring {

inline constexpr std::size_t kSlotSize = 64;
inline constexpr std::size_t kLineSize = 128;  // Two cache lines: the adjacent-line prefetcher pairs them.

class SpscRing {
 public:
  // Capacity in slots: rounded up to a power of two, at least 64.
  explicit SpscRing(std::size_t slots)
      : capacity_(std::bit_ceil(slots < 64 ? std::size_t{64} : slots)), mask_(capacity_ - 1), slots_(new (std::align_val_t{kSlotSize}) Slot[capacity_]) {}
  ~SpscRing() { ::operator delete[](slots_, std::align_val_t{kSlotSize}); }
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  std::size_t capacity() const { return capacity_; }

  // Producer. `size` is RecordSize(record's type), at most kRecordSizeMax.
  bool TryPush(const void* record, std::size_t size) {
    const std::uint64_t head = producer_.head.load(std::memory_order_relaxed);
    const std::size_t needed = (size + kSlotSize - 1) / kSlotSize;
    const std::size_t to_end = capacity_ - (head & mask_);
    const std::size_t padding = needed > to_end ? to_end : 0;  // A record never wraps.
    if (head + padding + needed - producer_.tail_cached > capacity_) [[unlikely]] {
      producer_.tail_cached = consumer_.tail.load(std::memory_order_acquire);
      if (head + padding + needed - producer_.tail_cached > capacity_) return false;
    }
    if (padding != 0) [[unlikely]] reinterpret_cast<Header*>(slots_ + (head & mask_))->type = RecordType::kNone;
    std::memcpy(slots_ + ((head + padding) & mask_), record, size);
    producer_.head.store(head + padding + needed, std::memory_order_release);
    return true;
  }

  // Consumer. Calls take(const Header*) for up to `limit` records in order, then frees them. Returns how many.
  template <class Take>
  std::size_t Drain(std::size_t limit, Take&& take) {
    std::uint64_t tail = consumer_.tail.load(std::memory_order_relaxed);
    if (tail == consumer_.head_cached) {
      consumer_.head_cached = producer_.head.load(std::memory_order_acquire);
      if (tail == consumer_.head_cached) return 0;
    }
    std::size_t taken = 0;
    while (tail != consumer_.head_cached && taken < limit) {
      const auto* header = reinterpret_cast<const Header*>(slots_ + (tail & mask_));
      if (header->type == RecordType::kNone) [[unlikely]] {
        tail += capacity_ - (tail & mask_);
        continue;
      }
      take(header);
      tail += (RecordSize(header->type) + kSlotSize - 1) / kSlotSize;
      ++taken;
    }
    consumer_.tail.store(tail, std::memory_order_release);
    return taken;
  }

  // Slots in use, as seen by any thread; a moment old.
  std::size_t depth() const {
    return static_cast<std::size_t>(producer_.head.load(std::memory_order_acquire) - consumer_.tail.load(std::memory_order_acquire));
  }

 private:
  struct alignas(kSlotSize) Slot {
    std::uint8_t bytes[kSlotSize];
  };
  struct alignas(kLineSize) Producer {
    std::atomic<std::uint64_t> head{0};
    std::uint64_t tail_cached = 0;
  };
  struct alignas(kLineSize) Consumer {
    std::atomic<std::uint64_t> tail{0};
    std::uint64_t head_cached = 0;
  };

  const std::size_t capacity_;
  const std::size_t mask_;
  Slot* const slots_;
  Producer producer_;
  Consumer consumer_;
};

}  // namespace tw::ring
