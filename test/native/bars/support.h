// Records for tests, and a sink that keeps what it is given.
#pragma once
#include <cstring>
#include <string>
#include <vector>

#include "bars/aggregator.h"

namespace tw::bars {

inline constexpr std::uint64_t kSecond = 1'000'000'000;
inline constexpr std::uint64_t kBase = 1'700'000'000ull * kSecond;  // 2023-11-14T22:13:20Z.

struct Kept : BarSink {
  std::vector<Bar> bars;
  void OnBar(const Bar& bar) override { bars.push_back(bar); }
  const Bar& last() const { return bars.back(); }
};

// Any record, 8-aligned.
struct AnyRecord {
  alignas(8) std::uint8_t bytes[sizeof(Bar)] = {};
  template <class Record>
  static AnyRecord Of(const Record& record) {
    AnyRecord any;
    std::memcpy(any.bytes, &record, sizeof record);
    return any;
  }
  Header& header() { return *reinterpret_cast<Header*>(bytes); }
  const Header& header() const { return *reinterpret_cast<const Header*>(bytes); }
};

inline Trade MakeTrade(std::uint32_t seq, std::uint64_t ts, std::int64_t price, std::int64_t size = 1, Side side = Side::kUnknown,
                       std::uint32_t epoch = 1, std::uint32_t instrument = 7, std::uint8_t source = 0) {
  Trade trade{};
  trade.header = {ts, ts + 5, seq, epoch, instrument, RecordType::kTrade, source, 0};
  trade.price = price;
  trade.size = size;
  trade.fills = 1;
  trade.side = side;
  return trade;
}
inline Clock MakeClock(std::uint32_t seq, std::uint64_t ts, bool final = false, std::uint32_t epoch = 1, std::uint8_t source = 0,
                       std::uint16_t shard = 0) {
  Clock clock{};
  clock.header = {ts, ts, seq, epoch, 0, RecordType::kClock, source, static_cast<std::uint16_t>(final ? kFlagFinal : 0)};
  clock.shard = shard;
  return clock;
}
inline Gap MakeGap(std::uint32_t seq, std::uint64_t from, std::uint64_t ts, std::uint64_t count, GapCause cause = GapCause::kVenueSequence,
                   RecordType of = RecordType::kTrade, std::uint32_t epoch = 1, std::uint32_t instrument = 7, std::uint8_t source = 0) {
  Gap gap{};
  gap.header = {ts, ts + 5, seq, epoch, instrument, RecordType::kGap, source, 0};
  gap.count = count;
  gap.ts_from = from;
  gap.of_type = of;
  gap.cause = cause;
  gap.version = 1;
  return gap;
}

// An aggregator fed record by record.
struct Fed {
  explicit Fed(Options options) : aggregator(options, &kept) {}
  template <class Record>
  Fed& operator<<(const Record& record) {
    const AnyRecord any = AnyRecord::Of(record);
    aggregator.OnRecord(any.bytes, {offset++, 0, 0});
    return *this;
  }
  Kept kept;
  Aggregator aggregator;
  std::uint64_t offset = 0;
};

inline Options OneSecond(std::uint64_t lateness = 2 * kSecond) {
  Options options;
  options.intervals_ms = {1000};
  options.lateness_ns = lateness;
  return options;
}

}  // namespace tw::bars
