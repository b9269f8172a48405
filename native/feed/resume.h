// What lets a replay run again into a log that holds part of it: records at or below the last (epoch, seq) of their stream are
// passed over, and a replay whose epoch lies below what the log holds is refused. Stands between a session and its ring.
#pragma once
#include <cstdint>
#include <set>
#include <unordered_map>

#include "feed/session.h"
#include "model/stream.h"

namespace tw::feed {

// What a log holds of one source.
struct ResumeState {
  std::unordered_map<StreamKey, StreamCursor, StreamKeyHash> streams;
  std::set<std::uint32_t> epochs;
  std::uint64_t records = 0;

  void Add(const void* record) {
    const auto* header = static_cast<const Header*>(record);
    if (!HasStream(header->type)) return;
    streams[StreamOf(record)].Accept(record);
    epochs.insert(header->epoch);
    ++records;
  }
};

class ResumeFilter final : public RecordSink {
 public:
  explicit ResumeFilter(RecordSink* next) : next_(next) {}
  void Load(ResumeState state) { state_ = std::move(state); }

  bool Push(const void* record, std::size_t size) override {
    if (state_.streams.empty() && refused_epoch_ == 0) [[likely]]
      return next_->Push(record, size);
    const auto* header = static_cast<const Header*>(record);
    if (!HasStream(header->type)) return refused_epoch_ != 0 || next_->Push(record, size);
    // An epoch that the log holds is one that is being resumed; an unknown one must be above all of them.
    if (refused_epoch_ == 0 && header->epoch < *state_.epochs.rbegin() && !state_.epochs.contains(header->epoch))
      refused_epoch_ = header->epoch;
    if (refused_epoch_ != 0) return true;
    const auto stream = state_.streams.find(StreamOf(record));
    if (stream == state_.streams.end()) return next_->Push(record, size);
    StreamCursor cursor = stream->second;
    if (!cursor.Accept(record)) {
      ++skipped_;
      return true;
    }
    if (!next_->Push(record, size)) return false;
    if (header->type == RecordType::kGap) {
      stream->second = cursor;
    } else {
      state_.streams.erase(stream);
    }
    return true;
  }
  std::uint64_t skipped() const { return skipped_; }
  // Not 0: the replay's epoch, below one that the log holds. Nothing of it was passed on.
  std::uint32_t refused_epoch() const { return refused_epoch_; }
  std::uint32_t highest_epoch() const { return state_.epochs.empty() ? 0 : *state_.epochs.rbegin(); }

 private:
  RecordSink* next_;
  ResumeState state_;
  std::uint64_t skipped_ = 0;
  std::uint32_t refused_epoch_ = 0;
};

}  // namespace tw::feed
