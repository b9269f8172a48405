// Instruments by id: what every native stage needs to know of one. Written by whoever loads the registry, read by all
// threads without a lock; an entry never changes and never goes away while the table lives.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace tw {

struct Instrument {
  std::uint32_t id = 0;
  std::int8_t price_exponent = 0;  // value = integer x 10^exponent; -4 means 1 unit is 0.0001.
  std::int8_t size_exponent = 0;
  std::string symbol;
  std::uint32_t key_hash = 0;  // murmur2(symbol) & 0x7fffffff: partition = key_hash % partitions.

  std::uint8_t exchange() const { return static_cast<std::uint8_t>(id >> 24); }
  std::uint32_t ordinal() const { return id & 0xffffffu; }
};

// Kafka's murmur2 (seed 0x9747b28c) of a key.
std::uint32_t Murmur2(std::string_view key);
inline std::uint32_t KeyHash(std::string_view symbol) { return Murmur2(symbol) & 0x7fffffffu; }

class InstrumentTable {
 public:
  InstrumentTable();
  ~InstrumentTable();
  InstrumentTable(const InstrumentTable&) = delete;
  InstrumentTable& operator=(const InstrumentTable&) = delete;

  // Adds or finds. Null: id 0, exponents outside [-18, 18], or the id is there with other contents.
  const Instrument* Add(Instrument instrument);
  // Any thread, no lock. Null: unknown.
  const Instrument* Find(std::uint32_t id) const {
    const Page* page = pages_[id >> 12].load(std::memory_order_acquire);
    return page == nullptr ? nullptr : page->entries[id & 0xfffu].load(std::memory_order_acquire);
  }
  // By (exchange, symbol); takes the lock.
  const Instrument* FindSymbol(std::uint8_t exchange, std::string_view symbol) const;
  std::size_t size() const;
  // Every instrument of an exchange, by ordinal.
  std::vector<const Instrument*> List(std::uint8_t exchange) const;

 private:
  struct Page {
    std::array<std::atomic<const Instrument*>, 4096> entries{};
  };
  std::unique_ptr<std::atomic<Page*>[]> pages_;  // 2^20 pages of 2^12 ids, made on first use.
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Instrument>> owned_;
};

}  // namespace tw
