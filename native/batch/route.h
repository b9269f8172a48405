// Which topic a record goes to: exchange → data type → topic.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/instrument.h"
#include "model/record.h"

namespace tw::batch {

// Data types of topic names (market.{asset_class}.{data_type}.{exchange}) that the batcher writes.
enum class DataType : std::uint8_t { kTrades, kQuotes, kTickers, kDepth, kBook, kOhlcv, kGaps, kStatus, kCount };
inline constexpr std::size_t kDataTypeCount = static_cast<std::size_t>(DataType::kCount);
inline constexpr std::array<const char*, kDataTypeCount> kDataTypeNames = {"trades", "quotes", "tickers", "depth",
                                                                           "book",   "ohlcv",  "gaps",    "status"};

// kCount: a type that is not routed by itself (gap, clock) or unknown.
constexpr DataType DataTypeOf(RecordType type) {
  switch (type) {
    case RecordType::kTrade: return DataType::kTrades;
    case RecordType::kQuote: return DataType::kQuotes;
    case RecordType::kTicker:
    case RecordType::kIndex: return DataType::kTickers;
    case RecordType::kDepth5:
    case RecordType::kDepth10:
    case RecordType::kDepth20: return DataType::kDepth;
    case RecordType::kLevel: return DataType::kBook;
    case RecordType::kBar: return DataType::kOhlcv;
    case RecordType::kStatus: return DataType::kStatus;
    default: return DataType::kCount;
  }
}

constexpr std::uint32_t Bit(DataType type) { return 1u << static_cast<unsigned>(type); }

// Data types that hold an instrument's own streams: where clocks go.
inline constexpr std::uint32_t kStreamDataTypes = Bit(DataType::kTrades) | Bit(DataType::kQuotes) | Bit(DataType::kTickers) |
                                                  Bit(DataType::kDepth) | Bit(DataType::kBook) | Bit(DataType::kOhlcv);

struct Route {
  std::uint8_t exchange = 0;
  DataType type = DataType::kCount;
  std::string topic;
  std::map<std::string, std::uint32_t, std::less<>> dedicated{};  // Symbols with a partition of their own.
};

// Where an instrument's records stand: murmur2 of the symbol over all partitions, or over those that are nobody's own.
class Placement {
 public:
  Placement() = default;
  Placement(std::uint32_t partitions, const std::map<std::string, std::uint32_t, std::less<>>& dedicated) {
    std::vector<bool> own(partitions, false);
    for (const auto& [symbol, partition] : dedicated) {
      if (partition >= partitions) continue;
      own_[KeyHash(symbol)] = partition;
      own[partition] = true;
    }
    for (std::uint32_t partition = 0; partition < partitions; ++partition) {
      if (!own[partition]) shared_.push_back(partition);
    }
  }
  std::uint32_t Of(std::uint32_t key_hash) const {
    if (!own_.empty()) [[unlikely]] {
      const auto own = own_.find(key_hash);
      if (own != own_.end()) return own->second;
    }
    return shared_[key_hash % shared_.size()];
  }
  bool valid() const { return !shared_.empty(); }
  bool operator==(const Placement&) const = default;

 private:
  std::unordered_map<std::uint32_t, std::uint32_t> own_;  // By the symbol's hash.
  std::vector<std::uint32_t> shared_;
};

}  // namespace tw::batch
