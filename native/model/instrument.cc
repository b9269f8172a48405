#include "model/instrument.h"

#include <algorithm>
#include <cstring>

namespace tw {

std::uint32_t Murmur2(std::string_view key) {
  constexpr std::uint32_t kMultiplier = 0x5bd1e995u;
  const auto* data = reinterpret_cast<const unsigned char*>(key.data());
  const std::size_t length = key.size();
  std::uint32_t hash = 0x9747b28cu ^ static_cast<std::uint32_t>(length);
  std::size_t i = 0;
  for (; i + 4 <= length; i += 4) {
    std::uint32_t k;
    std::memcpy(&k, data + i, 4);
    k *= kMultiplier;
    k ^= k >> 24;
    k *= kMultiplier;
    hash = hash * kMultiplier ^ k;
  }
  switch (length - i) {
    case 3: hash ^= static_cast<std::uint32_t>(data[i + 2]) << 16; [[fallthrough]];
    case 2: hash ^= static_cast<std::uint32_t>(data[i + 1]) << 8; [[fallthrough]];
    case 1:
      hash ^= data[i];
      hash *= kMultiplier;
      break;
    default: break;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  return hash ^ (hash >> 15);
}

InstrumentTable::InstrumentTable() : pages_(new std::atomic<Page*>[1u << 20]()) {}

InstrumentTable::~InstrumentTable() {
  for (std::size_t i = 0; i < (1u << 20); ++i) delete pages_[i].load(std::memory_order_relaxed);
}

const Instrument* InstrumentTable::Add(Instrument instrument) {
  if (instrument.id == 0 || instrument.ordinal() == 0 || instrument.symbol.empty()) return nullptr;
  if (std::abs(instrument.price_exponent) > 18 || std::abs(instrument.size_exponent) > 18) return nullptr;
  instrument.key_hash = KeyHash(instrument.symbol);
  const std::lock_guard lock(mutex_);
  auto& slot = pages_[instrument.id >> 12];
  Page* page = slot.load(std::memory_order_relaxed);
  if (page == nullptr) {
    page = new Page();
    slot.store(page, std::memory_order_release);
  }
  auto& entry = page->entries[instrument.id & 0xfffu];
  if (const Instrument* known = entry.load(std::memory_order_relaxed)) {
    const bool same = known->symbol == instrument.symbol && known->price_exponent == instrument.price_exponent &&
                      known->size_exponent == instrument.size_exponent;
    return same ? known : nullptr;
  }
  owned_.push_back(std::make_unique<Instrument>(std::move(instrument)));
  entry.store(owned_.back().get(), std::memory_order_release);
  return owned_.back().get();
}

const Instrument* InstrumentTable::FindSymbol(std::uint8_t exchange, std::string_view symbol) const {
  const std::lock_guard lock(mutex_);
  const Instrument* newest = nullptr;  // A superseding id has the higher ordinal.
  for (const auto& entry : owned_) {
    if (entry->exchange() == exchange && entry->symbol == symbol && (newest == nullptr || entry->id > newest->id)) newest = entry.get();
  }
  return newest;
}

std::size_t InstrumentTable::size() const {
  const std::lock_guard lock(mutex_);
  return owned_.size();
}

std::vector<const Instrument*> InstrumentTable::List(std::uint8_t exchange) const {
  const std::lock_guard lock(mutex_);
  std::vector<const Instrument*> found;
  for (const auto& entry : owned_) {
    if (entry->exchange() == exchange) found.push_back(entry.get());
  }
  std::sort(found.begin(), found.end(), [](const auto* a, const auto* b) { return a->id < b->id; });
  return found;
}

}  // namespace tw
