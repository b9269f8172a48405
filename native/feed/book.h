// One instrument's book by price level: two sorted arrays, the best price at the end, because changes crowd there. A book says
// nothing about sequences, checksums or records: see book_output.h and the venues' feeds.
//
// Bound: kBookLevelsMax per side; beyond it the level furthest from the market goes.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/record.h"

namespace tw::feed {

inline constexpr std::size_t kBookLevelsMax = 10'000;

struct BookLevel {
  std::int64_t price = 0;
  std::int64_t size = 0;
  bool operator==(const BookLevel&) const = default;
};

struct BookChange {
  BookSide side = BookSide::kBid;
  BookLevel level;  // Size 0: the level is gone.
};

class BookHalf {
 public:
  explicit BookHalf(BookSide side) : sign_(side == BookSide::kBid ? 1 : -1) {}
  // Size 0 deletes. True: something is different now.
  bool Set(std::int64_t price, std::int64_t size);
  // All levels at once, in any order; of equal prices the last counts.
  void Load(std::span<const BookLevel> levels);
  void KeepBest(std::size_t count);
  void Clear() { levels_.clear(); }
  std::size_t size() const { return levels_.size(); }
  // From the best, 0.
  const BookLevel& operator[](std::size_t i) const { return levels_[levels_.size() - 1 - i]; }

 private:
  std::int64_t Key(std::int64_t price) const { return price * sign_; }
  std::int64_t sign_;
  std::vector<BookLevel> levels_;
};

struct Book {
  BookHalf bids{BookSide::kBid};
  BookHalf asks{BookSide::kAsk};

  bool Set(const BookChange& change) {
    return (change.side == BookSide::kBid ? bids : asks).Set(change.level.price, change.level.size);
  }
  void Clear() {
    bids.Clear();
    asks.Clear();
  }
};

}  // namespace tw::feed
