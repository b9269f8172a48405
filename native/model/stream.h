// A stream is (instrument, type, source), for bars also (interval, basis): what (epoch, seq) counts. A gap record belongs
// to the stream of its of_type. Clock and status records belong to none.
#pragma once
#include <compare>
#include <cstring>

#include "model/record.h"

namespace tw {

struct StreamKey {
  std::uint32_t instrument_id = 0;
  std::uint32_t interval_ms = 0;
  RecordType type = RecordType::kNone;
  std::uint8_t source = 0;
  BarBasis basis{};

  auto operator<=>(const StreamKey&) const = default;
};

inline bool HasStream(RecordType type) { return type != RecordType::kClock && type != RecordType::kStatus; }

// The stream of a record; `record` points at RecordSize(type) bytes, 8-aligned. For clock and status: an empty key.
inline StreamKey StreamOf(const void* record) {
  const auto* header = static_cast<const Header*>(record);
  StreamKey key;
  if (!HasStream(header->type)) return key;
  key.instrument_id = header->instrument_id;
  key.type = header->type;
  key.source = header->source;
  if (header->type == RecordType::kGap) {
    const auto* gap = static_cast<const Gap*>(record);
    key.type = gap->of_type;
    key.basis = gap->of_basis;
  } else if (header->type == RecordType::kBar) {
    const auto* bar = static_cast<const Bar*>(record);
    key.interval_ms = bar->interval_ms;
    key.basis = bar->basis;
  }
  return key;
}

struct StreamKeyHash {
  std::size_t operator()(const StreamKey& k) const {
    std::uint64_t x = (static_cast<std::uint64_t>(k.instrument_id) << 32) ^ k.interval_ms;
    x ^= (static_cast<std::uint64_t>(k.type) << 24) ^ (static_cast<std::uint64_t>(k.source) << 8) ^ static_cast<std::uint64_t>(k.basis);
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    return x ^ (x >> 33);
  }
};

// What a reader does with a record of a stream: dedup by (epoch, seq), R1 and R2 in one place (DESIGN: record identity).
// Data: accepted above the last accepted. Our own gap: (epoch, seq) is the first missing one; accepted when above, and moves
// the last accepted to seq + count - 1. A venue's gap carries the position before the hole: accepted when not below, moves
// nothing, and the same hole again with no record between is a repeat.
class StreamCursor {
 public:
  // True: the reader takes the record. False: it is a repeat.
  bool Accept(const void* record) {
    const auto* header = static_cast<const Header*>(record);
    const std::uint64_t position = header->position();
    if (header->type != RecordType::kGap) {
      if (position <= last_) return false;
      last_ = position;
      last_gap_ = 0;
      return true;
    }
    const auto* gap = static_cast<const Gap*>(record);
    if (gap->ours()) {
      if (position <= last_) return false;
      last_ = gap->count == kUnknownCount || gap->count == 0 ? position : position + gap->count - 1;
      last_gap_ = 0;
      return true;
    }
    if (position < last_) return false;
    const std::uint64_t hole = gap->venue_from * 0x9e3779b97f4a7c15ULL ^ gap->venue_to ^ (static_cast<std::uint64_t>(gap->version) << 48) ^ 1;
    if (position == last_ && hole == last_gap_) return false;
    last_gap_ = hole;
    return true;
  }
  std::uint64_t last() const { return last_; }
  void set_last(std::uint64_t last) { last_ = last; }

 private:
  std::uint64_t last_ = 0;
  std::uint64_t last_gap_ = 0;
};

}  // namespace tw
