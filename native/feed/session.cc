#include "feed/session.h"

#include <algorithm>

namespace tw::feed {
namespace {

constexpr std::uint64_t StreamSlot(const FeedInstrument& instrument, RecordType type) {
  return (static_cast<std::uint64_t>(instrument.ordinal) << 4) | static_cast<std::uint64_t>(type);
}

StreamKey BarStream(const Bar& bar, const FeedInstrument& instrument) {
  return {instrument.instrument->id, bar.interval_ms, RecordType::kBar, 0, bar.basis};
}

}  // namespace

Session::Session(const SessionOptions& options, RecordSink* sink) : options_(options), sink_(sink) {}

FeedInstrument* Session::AddInstrument(const Instrument* instrument, std::string_view venue_symbol, std::uint64_t venue_key) {
  // A venue that lists one instrument under two of its ids still has one stream of each type.
  auto [known, fresh] = by_id_.try_emplace(instrument->id, nullptr);
  if (fresh) {
    FeedInstrument& added = instruments_.emplace_back();
    added.instrument = instrument;
    added.venue_key = venue_key;
    added.ordinal = static_cast<std::uint32_t>(instruments_.size() - 1);
    known->second = &added;
  }
  if (!venue_symbol.empty()) by_symbol_.insert_or_assign(std::string(venue_symbol), known->second);
  if (venue_key != 0) by_key_.insert_or_assign(venue_key, known->second);
  return known->second;
}

FeedInstrument* Session::FindSymbol(std::string_view venue_symbol) {
  if (auto found = by_symbol_.find(venue_symbol); found != by_symbol_.end()) return found->second;
  // A name refused once is not asked for again, and neither is anything once the list of refused names is full.
  if (list_on_sight_ != nullptr && unknown_seen_.size() < options_.unknown_max && !unknown_seen_.contains(venue_symbol)) {
    if (FeedInstrument* listed = list_on_sight_(list_context_, venue_symbol)) return listed;
  }
  CountUnknown(venue_symbol);
  return nullptr;
}

FeedInstrument* Session::FindKey(std::uint64_t venue_key) {
  if (auto found = by_key_.find(venue_key); found != by_key_.end()) return found->second;
  Count(Reason::kUnknownInstrument);
  if (unknown_symbols_.size() < options_.unknown_max && unknown_keys_.insert(venue_key).second) {
    unknown_symbols_.push_back(std::to_string(venue_key));
  }
  return nullptr;
}

void Session::CountUnknown(std::string_view name) {
  Count(Reason::kUnknownInstrument);
  if (unknown_seen_.size() >= options_.unknown_max || unknown_seen_.contains(name)) return;
  unknown_seen_.emplace(name);
  unknown_symbols_.emplace_back(name);
}

void Session::BeginFrame(std::uint64_t ts_recv) {
  ++stats_.frames;
  if (!options_.has_receive_times) return;  // Time moves with the records.
  ts_recv = std::max(ts_recv, ts_recv_);
  EmitClocks(ts_recv);
  ts_recv_ = ts_recv;
  OpenByTime();
}

void Session::Tick(std::uint64_t now) {
  if (!options_.has_receive_times || ts_recv_ == 0) return;
  if (streams_refused_ != 0) FlushAllGaps();
  EmitClocks(now);
}

bool Session::Finish() {
  if (!FlushAllGaps()) return false;
  if (finished_ || ts_recv_ == 0) return true;
  return finished_ = EmitClock(ts_recv_, true);
}

void Session::NewEpoch(std::uint32_t epoch) {
  FlushAllGaps();
  options_.epoch = std::max(epoch, options_.epoch + 1);
  ResetStreams(true);
}

bool Session::Open(std::uint32_t epoch) {
  if (options_.epoch == 0) {
    options_.epoch = epoch;
    return false;
  }
  if (epoch == options_.epoch) return false;
  NewEpoch(epoch);
  return true;
}

void Session::ResetStreams(bool reconnect) {
  clock_seq_ = 0;
  bar_seqs_.clear();
  for (FeedInstrument& instrument : instruments_) {
    for (std::size_t t = 1; t <= kRecordTypeMax; ++t) {
      const RecordType type = static_cast<RecordType>(t);
      if (instrument.refused[t] != 0) {  // These numbers belong to the epoch that ends.
        const std::uint64_t first = (instrument.position_last[t] & ~0xffff'ffffull) | instrument.refused_first_seq[t];
        Park(instrument, MakeGap(instrument, type, GapCause::kRingFull, first, instrument.refused[t], VenueTime(ts_recv_)));
        instrument.refused[t] = 0;
        --streams_refused_;
      }
      instrument.seq[t] = 0;
    }
    if (reconnect) {
      instrument.reconnected |= instrument.active;
      instrument.active = 0;
    }
  }
}

std::uint64_t Session::VenueTime(std::uint64_t ts_recv) const {
  return venue_ahead_known_ ? ts_recv + static_cast<std::uint64_t>(venue_ahead_ns_) : ts_recv;
}

void Session::Observe(std::uint64_t ts_event) {
  const std::int64_t ahead = static_cast<std::int64_t>(ts_event - ts_recv_);
  if (!venue_ahead_known_ || ahead > venue_ahead_ns_) venue_ahead_ns_ = ahead;
  venue_ahead_known_ = true;
}

void Session::EmitClocks(std::uint64_t until) {
  if (next_clock_ == 0) {
    next_clock_ = until - until % kClockPeriodNs + kClockPeriodNs;
    return;
  }
  if (until < next_clock_) return;
  const std::uint64_t last = until - until % kClockPeriodNs;
  const bool one = !options_.has_receive_times || until - next_clock_ > kPauseMaxNs;
  for (std::uint64_t at = one ? last : next_clock_; at <= last; at += kClockPeriodNs) {
    ts_recv_ = std::max(ts_recv_, at);  // What comes next is not older than a clock that stands before it.
    if (venue_ahead_known_) EmitClock(at, false);
  }
  next_clock_ = last + kClockPeriodNs;
}

bool Session::EmitClock(std::uint64_t ts_recv, bool final) {
  Clock clock{};
  clock.header.ts_event = std::max(clock_event_, VenueTime(ts_recv));
  clock.header.ts_recv = ts_recv;
  clock.header.seq = ++clock_seq_;
  clock.header.epoch = options_.epoch;
  clock.header.type = RecordType::kClock;
  clock.header.source = options_.source;
  clock.header.flags = final ? std::uint16_t{kFlagFinal} : std::uint16_t{0};
  clock.shard = options_.shard;
  clock_event_ = clock.header.ts_event;
  if (!sink_->Push(&clock, sizeof clock)) {
    ++stats_.refused;
    return false;
  }
  ++stats_.records;
  ++stats_.clocks;
  return true;
}

void Session::StampTime(Header& header) {
  if (!options_.has_receive_times && header.ts_event > ts_recv_) {
    EmitClocks(header.ts_event);
    ts_recv_ = header.ts_event;
    OpenByTime();
  }
  header.ts_recv = ts_recv_;
  if (header.ts_event == 0) {
    header.ts_event = ts_recv_;
    header.flags |= kFlagEventTimeOurs;
  }
  const std::uint64_t now = clock_event_ != 0 ? clock_event_ : ts_recv_;
  if (header.ts_event > now && header.ts_event - now > kSuspectAheadNs) {
    header.flags |= kFlagSuspect;
    ++stats_.suspect;
  } else {
    Observe(header.ts_event);
  }
}

std::uint32_t Session::NextSeq(FeedInstrument& instrument, RecordType type) {
  const auto t = static_cast<std::size_t>(type);
  if (instrument.seq[t] >= kSeqMax) [[unlikely]] {
    FlushAllGaps();
    ++options_.epoch;
    ResetStreams(false);
  }
  const std::uint32_t seq = ++instrument.seq[t];
  instrument.active |= Bit(type);
  instrument.position_last[t] = (static_cast<std::uint64_t>(options_.epoch) << 32) | seq;
  return seq;
}

void Session::Refuse(FeedInstrument& instrument, RecordType type, std::uint32_t seq) {
  const auto t = static_cast<std::size_t>(type);
  if (instrument.refused[t]++ == 0) {
    instrument.refused_first_seq[t] = seq;
    ++streams_refused_;
  }
  ++stats_.refused;
}

bool Session::EmitHeader(Header& header, std::size_t size, RecordType type, FeedInstrument& instrument) {
  const auto t = static_cast<std::size_t>(type);
  header.type = type;
  header.source = options_.source;
  header.instrument_id = instrument.instrument->id;
  if (options_.sampled) header.flags |= kFlagSampled;
  StampTime(header);
  const bool waiting = instrument.refused[t] != 0 || ((instrument.parked | instrument.reconnected) & Bit(type)) != 0;
  const bool ready =
      !waiting || FlushGaps(instrument, type, (header.flags & kFlagSuspect) != 0 ? VenueTime(ts_recv_) : header.ts_event);
  header.seq = NextSeq(instrument, type);
  header.epoch = options_.epoch;
  if ((instrument.gap_before & Bit(type)) != 0) header.flags |= kFlagGapBefore;
  if (!ready || !sink_->Push(&header, size)) [[unlikely]] {
    Refuse(instrument, type, header.seq);
    return false;
  }
  instrument.gap_before &= static_cast<std::uint16_t>(~Bit(type));
  instrument.ts_event_last[t] = header.ts_event;
  ++stats_.records;
  return true;
}

bool Session::EmitBar(Bar& bar, FeedInstrument& instrument) {
  const StreamKey stream = BarStream(bar, instrument);
  std::uint32_t& seq = instrument.seq[static_cast<std::size_t>(RecordType::kBar)];
  seq = bar_seqs_[stream];
  bar_basis_ = bar.basis;
  const bool taken = EmitHeader(bar.header, sizeof bar, RecordType::kBar, instrument);
  bar_seqs_[stream] = seq;  // Looked up anew: a new epoch may have emptied the table.
  return taken;
}

void Session::EmitLost(FeedInstrument& instrument, const Bar& bar, GapCause cause) {
  const StreamKey stream = BarStream(bar, instrument);
  std::uint32_t& seq = instrument.seq[static_cast<std::size_t>(RecordType::kBar)];
  seq = bar_seqs_[stream];
  bar_basis_ = bar.basis;
  EmitLost(instrument, RecordType::kBar, cause, bar.header.ts_event);
  bar_seqs_[stream] = seq;
}

Gap Session::MakeGap(const FeedInstrument& instrument, RecordType of_type, GapCause cause, std::uint64_t position,
                     std::uint64_t count, std::uint64_t ts_event) const {
  Gap gap{};
  gap.header.ts_event = ts_event;
  gap.header.ts_recv = ts_recv_;
  gap.header.seq = static_cast<std::uint32_t>(position);
  gap.header.epoch = static_cast<std::uint32_t>(position >> 32);
  gap.header.instrument_id = instrument.instrument->id;
  gap.header.type = RecordType::kGap;
  gap.header.source = options_.source;
  gap.header.flags = kFlagEventTimeOurs;
  gap.count = count;
  gap.ts_from = instrument.ts_event_last[static_cast<std::size_t>(of_type)];
  gap.of_type = of_type;
  gap.cause = cause;
  gap.version = 1;
  if (of_type == RecordType::kBar) gap.of_basis = bar_basis_;
  return gap;
}

bool Session::PushGap(FeedInstrument& instrument, const Gap& gap) {
  if (!sink_->Push(&gap, sizeof gap)) return false;
  instrument.gap_before |= Bit(gap.of_type);
  ++stats_.records;
  ++stats_.gaps;
  return true;
}

void Session::Park(FeedInstrument& instrument, const Gap& gap) {
  std::vector<Gap>& waiting = parked_[StreamSlot(instrument, gap.of_type)];
  if ((instrument.parked & Bit(gap.of_type)) == 0) ++streams_refused_;
  instrument.parked |= Bit(gap.of_type);
  if (!gap.ours()) {  // The venue's holes of one stall become one: at most one waits per stream.
    for (Gap& other : waiting) {
      if (other.ours()) continue;
      other.count = other.count == kUnknownCount || gap.count == kUnknownCount ? kUnknownCount : other.count + gap.count;
      other.venue_to = gap.venue_to;
      return;
    }
  }
  waiting.push_back(gap);
}

bool Session::FlushParked(FeedInstrument& instrument, RecordType type, bool ours) {
  if ((instrument.parked & Bit(type)) == 0) return true;
  auto found = parked_.find(StreamSlot(instrument, type));
  std::vector<Gap>& waiting = found->second;
  for (auto gap = waiting.begin(); gap != waiting.end();) {
    if (gap->ours() != ours) {
      ++gap;
      continue;
    }
    if (!ours) {  // Numbers were given since; a hole must not stand below what was accepted.
      const std::uint64_t position = instrument.position_last[static_cast<std::size_t>(type)];
      gap->header.seq = static_cast<std::uint32_t>(position);
      gap->header.epoch = static_cast<std::uint32_t>(position >> 32);
    }
    if (!PushGap(instrument, *gap)) return false;
    gap = waiting.erase(gap);
  }
  if (waiting.empty()) {
    parked_.erase(found);
    instrument.parked &= static_cast<std::uint16_t>(~Bit(type));
    --streams_refused_;
  }
  return true;
}

bool Session::FlushGaps(FeedInstrument& instrument, RecordType type, std::uint64_t ts_event) {
  const auto t = static_cast<std::size_t>(type);
  if (!FlushParked(instrument, type, true)) return false;
  if (instrument.refused[t] != 0) {
    const std::uint64_t first = (instrument.position_last[t] & ~0xffff'ffffull) | instrument.refused_first_seq[t];
    if (!PushGap(instrument, MakeGap(instrument, type, GapCause::kRingFull, first, instrument.refused[t], ts_event)))
      return false;
    instrument.refused[t] = 0;
    --streams_refused_;
  }
  if (!FlushParked(instrument, type, false)) return false;
  if ((instrument.reconnected & Bit(type)) != 0) {
    if (!PushGap(instrument,
                 MakeGap(instrument, type, GapCause::kReconnect, instrument.position_last[t], kUnknownCount, ts_event)))
      return false;
    instrument.reconnected &= static_cast<std::uint16_t>(~Bit(type));
    instrument.active &= static_cast<std::uint16_t>(~Bit(type));  // Until a record follows, another reconnect is the same hole.
  }
  return true;
}

bool Session::FlushAllGaps() {
  if (streams_refused_ == 0) return true;
  for (FeedInstrument& instrument : instruments_) {
    for (std::size_t t = 1; t <= kRecordTypeMax; ++t) {
      const RecordType type = static_cast<RecordType>(t);
      if (instrument.refused[t] == 0 && (instrument.parked & Bit(type)) == 0) continue;
      if (!FlushGaps(instrument, type, VenueTime(ts_recv_))) return false;
    }
  }
  return true;
}

void Session::EmitVenueGap(FeedInstrument& instrument, RecordType of_type, GapCause cause, std::uint64_t count,
                           std::uint64_t venue_from, std::uint64_t venue_to) {
  const auto t = static_cast<std::size_t>(of_type);
  const std::uint64_t ts_event = VenueTime(ts_recv_);
  instrument.reconnected &= static_cast<std::uint16_t>(~Bit(of_type));  // This says it better.
  const bool ready = FlushGaps(instrument, of_type, ts_event);
  std::uint64_t position = instrument.position_last[t];
  if (position == 0) position = static_cast<std::uint64_t>(options_.epoch) << 32;
  Gap gap = MakeGap(instrument, of_type, cause, position, count, ts_event);
  gap.venue_from = venue_from;
  gap.venue_to = venue_to;
  if (!ready || !PushGap(instrument, gap)) Park(instrument, gap);
}

void Session::EmitLost(FeedInstrument& instrument, RecordType of_type, GapCause cause, std::uint64_t ts_event) {
  Header stamp{};
  stamp.ts_event = ts_event;
  StampTime(stamp);
  const bool ready = FlushGaps(instrument, of_type, stamp.ts_event);
  const std::uint32_t seq = NextSeq(instrument, of_type);
  const std::uint64_t position = instrument.position_last[static_cast<std::size_t>(of_type)];
  if (!ready || !PushGap(instrument, MakeGap(instrument, of_type, cause, position, 1, stamp.ts_event))) {
    Refuse(instrument, of_type, seq);
  }
}

}  // namespace tw::feed
