// Which topic a record goes to: exchange → data type → topic.
#pragma once
#include <array>
#include <cstdint>
#include <string>

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
};

}  // namespace tw::batch
