// Which shard a feed session (source, epoch) belongs to, learnt from clock records, and the last clock of each shard. Data
// records do not name their shard, but every session of a source has an epoch of its own.
#pragma once
#include <cstdint>
#include <tuple>
#include <vector>

#include "model/record.h"

namespace tw::bars {

struct ShardClock {
  std::uint64_t position = 0;
  std::uint64_t ts_recv = 0;
  std::uint32_t reserved = 0;
  std::uint16_t shard = 0;
  std::uint8_t source = 0;
  std::uint8_t final = 0;
};
struct ShardEpoch {
  std::uint32_t epoch = 0;
  std::uint16_t shard = 0;
  std::uint8_t source = 0;
  std::uint8_t reserved = 0;
};
inline constexpr std::size_t kShardsMax = 1024;
inline constexpr std::size_t kShardEpochsMax = 4096;

class Shards {
 public:
  // False: not above the last of its (source, shard), or more shards than anybody runs.
  bool Accept(const Clock& clock) {
    const Header& header = clock.header;
    const auto final = static_cast<std::uint8_t>((header.flags & kFlagFinal) != 0);
    const ShardClock now{header.position(), header.ts_recv, 0, clock.shard, header.source, final};
    ShardClock* last = nullptr;
    for (ShardClock& known : clocks) {
      if (known.source == now.source && known.shard == now.shard) last = &known;
    }
    if (last == nullptr) {
      if (clocks.size() >= kShardsMax) return false;
      clocks.push_back(now);
    } else {
      if (std::tie(now.position, now.ts_recv, now.final) <= std::tie(last->position, last->ts_recv, last->final)) return false;
      const bool same_session = (last->position >> 32) == header.epoch;
      *last = now;
      if (same_session) return true;
    }
    for (const ShardEpoch& known : epochs) {
      if (known.source == header.source && known.epoch == header.epoch && known.shard == clock.shard) return true;
    }
    if (epochs.size() >= kShardEpochsMax) epochs.erase(epochs.begin());
    epochs.push_back({header.epoch, clock.shard, header.source, 0});
    return true;
  }
  // A session that no clock has named belongs to the source's only shard, if it has only one.
  bool Belongs(std::uint8_t source, std::uint32_t epoch, std::uint16_t shard) const {
    for (const ShardEpoch& known : epochs) {
      if (known.source == source && known.epoch == epoch) return known.shard == shard;
    }
    for (const ShardClock& known : clocks) {
      if (known.source == source && known.shard != shard) return false;
    }
    return true;
  }

  std::vector<ShardClock> clocks;
  std::vector<ShardEpoch> epochs;
};

}  // namespace tw::bars
