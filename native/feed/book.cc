#include "feed/book.h"

#include <algorithm>

namespace tw::feed {

bool BookHalf::Set(std::int64_t price, std::int64_t size) {
  const auto at = std::lower_bound(levels_.begin(), levels_.end(), Key(price),
                                   [this](const BookLevel& level, std::int64_t key) { return Key(level.price) < key; });
  const bool there = at != levels_.end() && at->price == price;
  if (size == 0) {
    if (there) levels_.erase(at);
    return there;
  }
  if (there) {
    if (at->size == size) return false;
    at->size = size;
    return true;
  }
  if (levels_.size() >= kBookLevelsMax) {
    if (at == levels_.begin()) return false;
    std::move(levels_.begin() + 1, at, levels_.begin());
    *(at - 1) = {price, size};
    return true;
  }
  levels_.insert(at, {price, size});
  return true;
}

void BookHalf::Load(std::span<const BookLevel> levels) {
  levels_.assign(levels.begin(), levels.end());
  std::stable_sort(levels_.begin(), levels_.end(),
                   [this](const BookLevel& a, const BookLevel& b) { return Key(a.price) < Key(b.price); });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    if (i + 1 < levels_.size() && levels_[i + 1].price == levels_[i].price) continue;
    if (levels_[i].size != 0) levels_[kept++] = levels_[i];
  }
  levels_.resize(kept);
  KeepBest(kBookLevelsMax);
}

void BookHalf::KeepBest(std::size_t count) {
  if (levels_.size() > count) levels_.erase(levels_.begin(), levels_.end() - static_cast<std::ptrdiff_t>(count));
}

}  // namespace tw::feed
