// One feed session of one (exchange, source, shard): turns decoded packets into records with identity. It finds the
// instrument, gives (epoch, seq), stamps ts_recv, emits the clock, turns losses into gap records, and hands each record to
// the sink. Reads packets from native/decode, writes to a RecordSink (the ring in production, a vector in tests).
//
// Threads:    everything here belongs to the one thread that decodes the feed.
// When full:  the sink answers false; the stream's loss is counted and stands in the log as one gap record, with the exact
//             count, before the next record of that stream.
// No clock, no I/O: ts_recv comes in with each frame, so a replay is the live run again.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "model/decimal.h"
#include "model/instrument.h"
#include "model/reason.h"
#include "model/record.h"
#include "model/stream.h"

namespace tw::feed {

inline constexpr std::uint64_t kClockPeriodNs = 100'000'000;
// A longer silence in a capture gets one clock: a damaged time must not cost a million of them. Live, Tick fills every silence.
inline constexpr std::uint64_t kPauseMaxNs = 3'600'000'000'000;
inline constexpr std::uint32_t kSeqMax = 0xffff'fff0u;            // Behind it a new epoch opens.
inline constexpr std::uint64_t kSuspectAheadNs = 10'000'000'000;  // ts_event this far ahead of the last clock is suspect.

class RecordSink {
 public:
  virtual ~RecordSink() = default;
  // One complete record of RecordSize(type) bytes. False: refused, not taken.
  virtual bool Push(const void* record, std::size_t size) = 0;
};

// An instrument as this feed sees it: identity and the state of its streams.
struct FeedInstrument {
  const Instrument* instrument = nullptr;
  std::uint64_t venue_key = 0;
  std::uint32_t seq[kRecordTypeMax + 1] = {};                // Last seq given, per record type.
  std::uint32_t refused[kRecordTypeMax + 1] = {};            // Records refused by the sink since the last one taken…
  std::uint32_t refused_first_seq[kRecordTypeMax + 1] = {};  // …and the seq of the first of them.
  std::uint64_t ts_event_last[kRecordTypeMax + 1] = {};
  std::uint64_t position_last[kRecordTypeMax + 1] = {};  // position() of the last number given, earlier epochs included.
  std::uint16_t gap_before = 0;                          // Bit per type: the next record follows a gap.
  std::uint16_t active = 0;                              // Bit per type: numbers were given since the last reconnect gap.
  std::uint16_t reconnected = 0;                         // Bit per type: nothing came since a reconnect.
  std::uint16_t parked = 0;                              // Bit per type: gap records wait in the session.
  std::uint32_t ordinal = 0;                             // Position in the session's list, for side tables (books).
};

struct SessionOptions {
  std::uint8_t source = 0;
  std::uint16_t shard = 0;
  std::uint32_t epoch = 0;  // 0: the unix second of the first ts_recv.
  // False: the source has no receive times. ts_recv is then the running maximum of ts_event, and a pause gets one clock.
  bool has_receive_times = true;
  bool sampled = false;            // Sets kFlagSampled on every record.
  std::size_t unknown_max = 1000;  // Names of unknown instruments that are kept.
};

struct SessionStats {
  std::uint64_t frames = 0;
  std::uint64_t records = 0;  // Taken by the sink, gaps and clocks included.
  std::uint64_t gaps = 0;
  std::uint64_t refused = 0;  // Records the sink refused.
  std::uint64_t clocks = 0;
  std::uint64_t suspect = 0;
  ReasonCounters reasons;
};

class Session {
 public:
  Session(const SessionOptions& options, RecordSink* sink);

  // Instruments. venue_symbol and venue_key are the venue's own; either may be empty/0. Pointers stay valid.
  FeedInstrument* AddInstrument(const Instrument* instrument, std::string_view venue_symbol, std::uint64_t venue_key);
  // Null: counted as unknown_instrument (and listed once, at most unknown_max names, for the operator).
  FeedInstrument* FindSymbol(std::string_view venue_symbol);
  FeedInstrument* FindKey(std::uint64_t venue_key);
  // Called by FindSymbol before it gives up: lists on first sight. Returns the instrument or null.
  using ListOnSight = FeedInstrument* (*)(void* context, std::string_view venue_symbol);
  void set_list_on_sight(ListOnSight call, void* context) { list_on_sight_ = call, list_context_ = context; }

  // A frame begins: clocks that are due are emitted first. ts_recv 0 only without receive times. Never goes back.
  void BeginFrame(std::uint64_t ts_recv);
  // Live only: time passes without a frame.
  void Tick(std::uint64_t now);
  // The source has ended: gaps that still wait, then a final clock. False: the sink refused some of it; call again.
  bool Finish();
  // A reconnect: every stream begins again under a higher epoch; one not above the last is raised to last + 1. Each stream
  // that had records gets a gap (reconnect, unknown) before its next one, unless the venue's own numbers say more first:
  // EmitVenueGap takes its place, Continuous says that nothing is missing.
  void NewEpoch(std::uint32_t epoch);
  // A session opening that a capture recorded: the first gives the epoch, the same one again changes nothing (false), another
  // one is a reconnect (true).
  bool Open(std::uint32_t epoch);
  void Continuous(FeedInstrument& instrument, RecordType of_type) {
    instrument.reconnected &= static_cast<std::uint16_t>(~Bit(of_type));
  }

  // Gives identity to a record and hands it on. The caller has set ts_event (0: not told), instrument-scaled values and
  // any flags of its own; everything else of the header is set here. Returns false when the sink refused it.
  template <class Record>
  bool Emit(Record& record, RecordType type, FeedInstrument& instrument) {
    if constexpr (std::is_same_v<Record, Bar>) return EmitBar(record, instrument);
    return EmitHeader(record.header, sizeof(Record), type, instrument);
  }
  // A hole in the venue's own numbers, before the next record of that stream. count 0: unknown.
  void EmitVenueGap(FeedInstrument& instrument, RecordType of_type, GapCause cause, std::uint64_t count, std::uint64_t venue_from,
                    std::uint64_t venue_to);
  // A record of that stream could not be made (a value does not fit): one of ours is lost, counted and stands as a gap.
  void EmitLost(FeedInstrument& instrument, RecordType of_type, GapCause cause, std::uint64_t ts_event);
  // The same for a bar: its interval, basis and ts_event are set.
  void EmitLost(FeedInstrument& instrument, const Bar& bar, GapCause cause);

  void Count(Reason reason) { stats_.reasons.Add(reason); }
  std::uint64_t ts_recv() const { return ts_recv_; }
  std::uint32_t epoch() const { return options_.epoch; }
  const SessionOptions& options() const { return options_; }
  const SessionStats& stats() const { return stats_; }
  const std::vector<std::string>& unknown_symbols() const { return unknown_symbols_; }
  std::deque<FeedInstrument>& instruments() { return instruments_; }

 private:
  static constexpr std::uint16_t Bit(RecordType type) { return static_cast<std::uint16_t>(1u << static_cast<unsigned>(type)); }
  bool EmitHeader(Header& header, std::size_t size, RecordType type, FeedInstrument& instrument);
  bool EmitBar(Bar& bar, FeedInstrument& instrument);
  void StampTime(Header& header);
  void EmitClocks(std::uint64_t until);
  bool EmitClock(std::uint64_t ts_recv, bool final);
  void Observe(std::uint64_t ts_event);
  std::uint64_t VenueTime(std::uint64_t ts_recv) const;
  void OpenByTime() {
    if (options_.epoch == 0 && ts_recv_ != 0) options_.epoch = static_cast<std::uint32_t>(ts_recv_ / 1'000'000'000);
  }
  std::uint32_t NextSeq(FeedInstrument& instrument, RecordType type);
  void Refuse(FeedInstrument& instrument, RecordType type, std::uint32_t seq);
  Gap MakeGap(const FeedInstrument& instrument, RecordType of_type, GapCause cause, std::uint64_t position, std::uint64_t count,
              std::uint64_t ts_event) const;
  bool PushGap(FeedInstrument& instrument, const Gap& gap);
  void Park(FeedInstrument& instrument, const Gap& gap);
  bool FlushParked(FeedInstrument& instrument, RecordType type, bool ours);
  // Everything that must stand before the next record of the stream. False: the sink is full.
  bool FlushGaps(FeedInstrument& instrument, RecordType type, std::uint64_t ts_event);
  bool FlushAllGaps();
  void ResetStreams(bool reconnect);
  void CountUnknown(std::string_view name);

  SessionOptions options_;
  RecordSink* sink_;
  SessionStats stats_;
  std::deque<FeedInstrument> instruments_;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  std::unordered_map<std::string, FeedInstrument*, Hash, std::equal_to<>> by_symbol_;
  std::unordered_map<std::uint64_t, FeedInstrument*> by_key_;
  std::unordered_map<std::uint32_t, FeedInstrument*> by_id_;
  std::vector<std::string> unknown_symbols_;
  std::unordered_set<std::string, Hash, std::equal_to<>> unknown_seen_;
  std::unordered_set<std::uint64_t> unknown_keys_;
  std::unordered_map<std::uint64_t, std::vector<Gap>> parked_;  // By ordinal and type; only while the sink is full.
  // Bars of one instrument are several streams, by interval and basis: each has its count, which stands in the instrument
  // while a bar of it is given its number.
  std::unordered_map<StreamKey, std::uint32_t, StreamKeyHash> bar_seqs_;
  BarBasis bar_basis_ = BarBasis::kTrade;  // Of the bar at hand, for gaps before it.
  std::size_t streams_refused_ = 0;                             // Streams with refused or parked records.
  ListOnSight list_on_sight_ = nullptr;
  void* list_context_ = nullptr;
  std::uint64_t ts_recv_ = 0;
  std::uint64_t next_clock_ = 0;     // The next multiple of 100 ms of ts_recv to emit; 0 before the first frame.
  std::uint64_t clock_event_ = 0;    // Venue's time in the last clock; 0: none yet.
  std::int64_t venue_ahead_ns_ = 0;  // Highest ts_event - ts_recv seen: the venue's clock against ours at least latency.
  bool venue_ahead_known_ = false;
  std::uint32_t clock_seq_ = 0;
  bool finished_ = false;
};

}  // namespace tw::feed
