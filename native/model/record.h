// The records: fixed layout, little-endian, 8-aligned, trivially copyable. Mirrors config/schema/tickwire.fbs.
// Prices and sizes are integers scaled by the instrument's own exponents (instrument.h); times are ns UTC.
// A layout never changes; a new one is a new type number.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace tw {

enum class RecordType : std::uint8_t {
  kNone = 0,
  kTrade = 1,
  kQuote = 2,
  kTicker = 3,
  kIndex = 4,
  kDepth5 = 5,
  kDepth10 = 6,
  kDepth20 = 7,
  kLevel = 8,
  kBar = 9,
  kChainRow = 10,  // Reserved.
  kGreeks = 11,    // Reserved.
  kGap = 12,
  kClock = 13,
  kStatus = 14,
};
inline constexpr std::size_t kRecordTypeMax = 14;

// Bits of Header::flags.
enum Flag : std::uint16_t {
  kFlagSnapshot = 1u << 0,
  kFlagLastOfUpdate = 1u << 1,
  kFlagGapBefore = 1u << 2,
  kFlagSampled = 1u << 3,
  kFlagEventTimeOurs = 1u << 4,
  kFlagCorrection = 1u << 5,
  kFlagSuspect = 1u << 6,
  kFlagStale = 1u << 7,
  kFlagOffMarket = 1u << 8,  // Not for bars.
  kFlagFinal = 1u << 9,
};

enum class Side : std::uint8_t { kUnknown = 0, kBuy = 1, kSell = 2 };         // Of a trade: the aggressor's.
enum class BookSide : std::uint8_t { kBid = 1, kAsk = 2 };                    // Of a level.
enum class LevelAction : std::uint8_t { kSet = 1, kDelete = 2, kClear = 3 };  // kClear: both sides are empty now.

enum class GapCause : std::uint8_t {
  kUnknown = 0,
  kVenueSequence = 1,  // A hole in the venue's own numbers.
  kReconnect = 2,      // The feed was down.
  kRingFull = 3,       // Our loss: the ring refused records.
  kChecksum = 4,       // The book did not match the venue's checksum.
  kRetention = 5,      // Our loss: deleted before a reader came.
  kCorruption = 6,     // Our loss: a damaged stretch of the log.
  kConflated = 7,      // Our choice: only the newest was kept.
  kOverflow = 8,       // Our loss: a value did not fit the instrument's exponents.
};
enum class GapState : std::uint8_t { kOpen = 0, kRepaired = 1, kUnrepairable = 2 };

enum class BarBasis : std::uint8_t { kTrade = 1, kTicker = 2, kBid = 3, kAsk = 4, kMid = 5, kBar = 6 };
enum class BarReason : std::uint8_t { kFirst = 0, kLate = 1, kBackfill = 2, kOfficial = 3, kBust = 4 };
enum Completeness : std::uint8_t {  // Bits of Bar::completeness; 0 is a complete bar.
  kBarGapInside = 1u << 0,
  kBarLossUnknown = 1u << 1,  // A gap inside has no count.
  kBarCut = 1u << 2,          // Closed by the end of the source, not by the watermark.
  kBarStartUnseen = 1u << 3,  // The feed session began inside the interval.
};

enum class StatusKind : std::uint8_t { kSessionOpened = 1, kSessionClosed = 2, kDisconnected = 3, kMessage = 4 };

inline constexpr std::int64_t kNoPrice = std::numeric_limits<std::int64_t>::min();  // No such value: side absent, not told.
inline constexpr std::int64_t kNoSize = kNoPrice;
inline constexpr std::uint64_t kUnknownCount = std::numeric_limits<std::uint64_t>::max();
inline constexpr std::uint8_t kSourceBackfill = 0x80;  // Ticks fetched later for that source.

struct Header {
  std::uint64_t ts_event;  // When the venue says it happened. Orders nothing.
  std::uint64_t ts_recv;   // When our socket read returned.
  std::uint32_t seq;       // From 1, +1 per record of the stream within the epoch.
  std::uint32_t epoch;     // Unix second in which the feed session began.
  std::uint32_t instrument_id;
  RecordType type;
  std::uint8_t source;
  std::uint16_t flags;

  // (epoch, seq) as one comparable number.
  std::uint64_t position() const { return (static_cast<std::uint64_t>(epoch) << 32) | seq; }
};

struct Trade {
  Header header;
  std::int64_t price;
  std::int64_t size;
  std::uint64_t trade_id;    // The venue's; a textual id is its xxh64.
  std::uint32_t conditions;  // The venue's own bits.
  std::uint16_t fills;       // Executions this record stands for (aggregated trades), saturating; 1 if not told.
  Side side;
  std::uint8_t reserved;
};

struct Quote {
  Header header;
  std::int64_t bid_price;  // kNoPrice: that side is empty.
  std::int64_t ask_price;
  std::int64_t bid_size;
  std::int64_t ask_size;
};

// What a sampled feed says at one moment. kNoPrice in any field: the packet did not carry it.
struct Ticker {
  Header header;
  std::int64_t last_price;
  std::int64_t last_size;
  std::int64_t average_price;
  std::int64_t volume;  // Cumulative since the day began.
  std::int64_t buy_quantity;
  std::int64_t sell_quantity;
  std::int64_t open_interest;
  std::int64_t open_interest_day_high;
  std::int64_t open_interest_day_low;
  std::int64_t open;
  std::int64_t high;
  std::int64_t low;
  std::int64_t previous_close;
  std::uint64_t ts_last_trade;  // 0: not told.
};

struct Index {
  Header header;
  std::int64_t price;
  std::int64_t settle_price;
  std::int64_t funding_rate;  // 1e-8.
  std::uint64_t ts_next_funding;
};

struct DepthLevel {
  std::int64_t price;  // kNoPrice: no such level.
  std::int64_t size;
  std::uint32_t orders;
  std::uint32_t reserved;
};

template <std::size_t N>
struct Depth {
  Header header;
  DepthLevel bids[N];  // Best first.
  DepthLevel asks[N];
};
using Depth5 = Depth<5>;
using Depth10 = Depth<10>;
using Depth20 = Depth<20>;

struct Level {
  Header header;
  std::int64_t price;
  std::int64_t size;
  std::uint64_t update_id;  // The venue's.
  std::uint32_t orders;
  BookSide side;
  LevelAction action;
  std::uint16_t reserved;
};

// Which input record made this one: position in the output's own partition number, and the ordinal among its outputs.
struct Cause {
  std::uint64_t offset;
  std::uint32_t index;
  std::uint16_t ordinal;
  std::uint16_t input;  // Number of the input topic in the processor's options.
};

struct Bar {
  Header header;  // ts_event is the start; ts_recv is as_of: the record that closed or changed it.
  std::int64_t open;
  std::int64_t high;
  std::int64_t low;
  std::int64_t close;
  std::int64_t volume;
  std::uint64_t turnover_low;  // Sum of price x size, exact, 128 bits, exponent = price's + size's.
  std::int64_t turnover_high;
  std::int64_t vwap;   // turnover / volume in the price exponent, half to even; kNoPrice without volume.
  std::uint64_t first;  // position() of the first input record inside.
  std::uint64_t last;
  std::int64_t buy_volume;     // Volume with aggressor buy; kNoSize when the basis has no sides.
  std::int64_t open_interest;  // Last one inside; kNoSize when not told.
  std::uint64_t ts_end;        // Exclusive.
  std::uint32_t interval_ms;
  std::uint32_t trades;  // Input records of the basis inside, saturating.
  std::uint32_t gaps;    // Gap records inside, saturating.
  std::uint32_t lost;    // Sum of their known counts, saturating.
  std::uint16_t version;
  BarBasis basis;
  BarReason reason;
  std::uint8_t completeness;
  std::uint8_t price_kind;  // Reserved, 0.
  std::uint16_t reserved;
  Cause cause;
};

// Belongs to the stream of of_type. Our own loss: (epoch, seq) is the first missing one, count is exact.
// A venue's hole: (epoch, seq) is that of the last record before it.
struct Gap {
  Header header;
  std::uint64_t count;  // kUnknownCount when nobody can say.
  std::uint64_t venue_from;
  std::uint64_t venue_to;
  std::uint64_t ts_from;  // ts_event of the last record before the hole; 0 when there was none.
  RecordType of_type;
  GapCause cause;
  std::uint16_t version;  // From 1; later versions tell the repair.
  GapState state;
  BarBasis of_basis;  // With of_type bar.
  std::uint16_t reserved;

  bool ours() const {
    return cause == GapCause::kRingFull || cause == GapCause::kRetention || cause == GapCause::kCorruption ||
           cause == GapCause::kConflated || cause == GapCause::kOverflow;
  }
};

// The decoding thread's estimate of the venue's time (ts_event) at a multiple of 100 ms of ts_recv. instrument_id 0.
struct Clock {
  Header header;
  std::uint16_t shard;
  std::uint8_t reserved[6];
};

struct Status {
  Header header;
  std::uint8_t exchange;
  StatusKind kind;
  std::uint16_t shard;
  std::uint32_t code;
  std::uint8_t detail[56];  // UTF-8, zero-padded.
};

// Bytes of one record; 0 for a type this build does not know.
constexpr std::size_t RecordSize(RecordType type) {
  switch (type) {
    case RecordType::kTrade: return sizeof(Trade);
    case RecordType::kQuote: return sizeof(Quote);
    case RecordType::kTicker: return sizeof(Ticker);
    case RecordType::kIndex: return sizeof(Index);
    case RecordType::kDepth5: return sizeof(Depth5);
    case RecordType::kDepth10: return sizeof(Depth10);
    case RecordType::kDepth20: return sizeof(Depth20);
    case RecordType::kLevel: return sizeof(Level);
    case RecordType::kBar: return sizeof(Bar);
    case RecordType::kGap: return sizeof(Gap);
    case RecordType::kClock: return sizeof(Clock);
    case RecordType::kStatus: return sizeof(Status);
    default: return 0;
  }
}
inline constexpr std::size_t kRecordSizeMax = sizeof(Depth20);

static_assert(sizeof(Header) == 32 && sizeof(Trade) == 64 && sizeof(Quote) == 64 && sizeof(Index) == 64);
static_assert(sizeof(Level) == 64 && sizeof(Ticker) == 144 && sizeof(DepthLevel) == 24 && sizeof(Depth5) == 272);
static_assert(sizeof(Depth10) == 512 && sizeof(Depth20) == 992 && sizeof(Cause) == 16 && sizeof(Bar) == 176);
static_assert(sizeof(Gap) == 72 && sizeof(Clock) == 40 && sizeof(Status) == 96);
static_assert(std::is_trivially_copyable_v<Bar> && std::is_trivially_copyable_v<Depth20>);

}  // namespace tw
