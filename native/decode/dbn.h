// Databento Binary Encoding, versions 1 and 2 (and 3 where its records did not change): little-endian.
//
//   file      "DBN", u8 version, u32 length, metadata of that length, then records
//   record    u8 length / 4, u8 rtype, u16 publisher, u32 instrument, u64 ts_event, then the fields of the rtype
// Prices are integers of 1e-9; a price not told is INT64_MAX, a time not told UINT64_MAX.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decode/bytes.h"
#include "model/reason.h"

namespace tw::decode {

inline constexpr std::size_t kDbnPrefix = 8;
inline constexpr std::size_t kDbnHeader = 16;
inline constexpr std::size_t kDbnMetadataMax = 16u << 20;
inline constexpr std::int64_t kDbnNoPrice = 0x7fff'ffff'ffff'ffff;
inline constexpr std::uint64_t kDbnNoTime = 0xffff'ffff'ffff'ffff;
inline constexpr int kDbnPriceExponent = -9;

// rtypes, by the venue's numbers.
enum DbnType : std::uint8_t {
  kDbnTrade = 0,
  kDbnMbp1 = 1,
  kDbnMbp10 = 10,
  kDbnOhlcvOld = 17,
  kDbnStatus = 18,
  kDbnDefinition = 19,
  kDbnImbalance = 20,
  kDbnError = 21,
  kDbnSymbolMapping = 22,
  kDbnSystem = 23,
  kDbnStatistics = 24,
  kDbnOhlcv1s = 32,
  kDbnOhlcv1m = 33,
  kDbnOhlcv1h = 34,
  kDbnOhlcv1d = 35,
  kDbnOhlcvEod = 36,
  kDbnMbo = 160,
  kDbnCmbp1 = 177,
  kDbnCbbo1s = 192,
  kDbnCbbo1m = 193,
  kDbnTcbbo = 194,
  kDbnBbo1s = 195,
  kDbnBbo1m = 196,
};

inline constexpr std::uint16_t kDbnSchemaTbbo = 3;

// Bits of a record's flags.
inline constexpr std::uint8_t kDbnFlagLast = 128;
inline constexpr std::uint8_t kDbnFlagSnapshot = 32;
inline constexpr std::uint8_t kDbnFlagMaybeBadBook = 4;

struct DbnMapping {
  std::string symbol;             // The name asked for.
  std::uint32_t instrument_id;    // What it stands for…
  std::uint32_t start_date;       // …from this date on, YYYYMMDD…
  std::uint32_t end_date;         // …to the day before this one.
};

struct DbnMetadata {
  std::uint8_t version = 1;
  std::string dataset;
  std::uint16_t schema = 0xffff;
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t limit = 0;
  std::uint8_t stype_in = 0xff;
  std::uint8_t stype_out = 0xff;
  bool ts_out = false;  // Every record has eight bytes more: when the gateway sent it.
  std::vector<std::string> symbols;
  std::vector<DbnMapping> mappings;  // Only those whose target is an instrument id.
};

// Bytes of the prefix and the metadata; 0: fewer than the prefix is there. kUnknownType: not DBN, or a version after 3
// (`.dbz`, the format before DBN, is one of these). kBadLength: metadata beyond kDbnMetadataMax.
Reason DbnMetadataSize(std::span<const std::uint8_t> bytes, std::size_t* size);
// `bytes` holds at least that many. kTruncated: the metadata contradicts its own length.
Reason ParseDbnMetadata(std::span<const std::uint8_t> bytes, DbnMetadata* out);

// One field of a record.
enum class DbnKind : std::uint8_t { kUnsigned, kSigned, kChar, kText, kYesNo };
struct DbnField {
  const char* name;
  std::uint16_t offset;
  std::uint16_t size;
  DbnKind kind;
};
// The fields of a record of this rtype and size (without ts_out), sorted by name; empty: no such record.
std::span<const DbnField> DbnFields(std::uint8_t rtype, std::size_t size);

// The size of the record that begins here, 0: fewer than two bytes, or a length below the header's (nothing after it can be read).
inline std::size_t DbnRecordSize(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 2) return 0;
  const std::size_t size = static_cast<std::size_t>(bytes[0]) * 4;
  return size < kDbnHeader ? 0 : size;
}

}  // namespace tw::decode
