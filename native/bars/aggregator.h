// Bars out of the records of one input partition: event time, deterministic, no clock, no I/O. The output is a function of
// the records read, in their order; Save and Restore between any two of them change no byte of it.
//
// Threads:    one.
// Memory:     per series (instrument, source, basis, interval) 48 bytes and up to 64 slots of 144; nothing is allocated per
//             tick once an instrument's rings have grown.
// Refusals:   counted in Stats, never thrown.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "bars/due_queue.h"
#include "bars/options.h"
#include "bars/series.h"
#include "bars/shards.h"

namespace tw::bars {

class Aggregator {
 public:
  // `options` as CheckOptions accepts them. The sink is called inside OnRecord.
  Aggregator(const Options& options, BarSink* sink);

  // `record` points at RecordSize(type) bytes, 8-aligned.
  void OnRecord(const void* record, const InputPosition& at);
  // A stretch of the partition is lost (damaged or deleted): every flow has a hole of unknown size.
  void OnLogHole(const InputPosition& at);

  std::uint64_t watermark() const { return ts_max_ > options_.lateness_ns ? ts_max_ - options_.lateness_ns : 0; }
  const Stats& stats() const { return stats_; }
  std::size_t nodes() const { return nodes_.size(); }

  // The whole state, bit-exact: Save after Restore gives the same bytes. Restore answers empty, or why it refused; a refused
  // restore leaves an empty aggregator.
  void Save(std::vector<std::uint8_t>* out) const;
  std::string Restore(std::span<const std::uint8_t> bytes);

 private:
  struct Read;  // The record being read, and its outputs so far.
  template <class Writer>
  void SaveNode(const Node& node, Writer& writer) const;
  template <class Reader>
  bool RestoreNode(Reader& reader);
  std::string RestoreChecked(std::span<const std::uint8_t> bytes);
  void Reset();

  Node* FindNode(std::uint32_t instrument_id, std::uint8_t source, bool make);
  Flow& FlowOf(Node& node, BarBasis basis);
  bool Reads(BarBasis basis) const { return (options_.bases & BasisBit(basis)) != 0; }
  std::optional<int> CursorOf(const Header& header, const void* record) const;

  void OnClock(const Clock& clock, Read& read);
  void OnGap(const Gap& gap, Read& read);
  void OnData(const void* record, Read& read);
  void OnTrade(Node& node, const Trade& trade, Read& read);
  void OnQuote(Node& node, const Quote& quote, Read& read);
  void OnTicker(Node& node, const Ticker& ticker, Read& read);
  void OnPart(Node& node, const Bar& bar, Read& read);

  bool BeginFlow(Node& node, Flow& flow, BarBasis basis, Read& read);
  void AddTick(Node& node, BarBasis basis, const Tick& tick, Read& read);
  bool PartOf(const Bar& bar, Slot* part);
  Slot* FindOrInsert(Node& node, BarBasis basis, Flow& flow, std::size_t interval, std::uint64_t ts);
  Interval IntervalOf(const Node& node, std::size_t interval, std::uint64_t ts);
  void Changed(Node& node, BarBasis basis, std::size_t interval, Slot& slot, Read& read, BarReason reason);
  void AddHole(Node& node, BarBasis basis, Flow& flow, const Hole& hole, Read& read);
  void TouchSlots(Node& node, BarBasis basis, Flow& flow, const Hole& hole, const Hole* before, Read& read);
  void MoveTime(std::uint64_t ts) { ts_max_ = ts > ts_max_ ? ts : ts_max_; }
  void PushDue(const Node& node, BarBasis basis, std::size_t interval, const Slot& slot);
  void CloseDue(Read& read);
  void Emit(Node& node, BarBasis basis, std::size_t interval, Slot& slot, Read& read, BarReason reason);
  bool Compose(const Flow& flow, const Slot& slot, Slot* out) const;

  Options options_;
  BarSink* sink_;
  Stats stats_;
  std::uint64_t ts_max_ = 0;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::unordered_map<std::uint64_t, std::uint32_t> by_key_;  // instrument << 8 | source.
  std::uint64_t newest_key_ = ~0ull;                         // The node found last: ticks come in runs.
  Node* newest_node_ = nullptr;
  Shards shards_;
  DueQueue due_;
  std::vector<std::unique_ptr<Calendar>> calendars_;  // By exchange number; null: aligned to the epoch.
};

// turnover / volume in the price exponent, half to even; kNoPrice without volume or when it does not fit.
std::int64_t Vwap(__int128 turnover, std::int64_t volume);
// (bid + ask) / 2 in the price exponent, half to even.
std::int64_t Mid(std::int64_t bid, std::int64_t ask);

}  // namespace tw::bars
