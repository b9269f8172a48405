// What waits to be sent to one client: references to chunks, in order, with an offset into the first.
// Bound: live bytes by the client's limit (the caller asks Fits before it pushes), snapshots and answers by their own.
#pragma once
#include <sys/uio.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "fanout/chunk.h"

namespace tw::fanout {

enum class Lane : std::uint8_t { kLive = 0, kSnapshot = 1, kControl = 2 };

class Outbox {
 public:
  void Push(ChunkRef chunk, Lane lane) {
    bytes_[static_cast<std::size_t>(lane)] += chunk->bytes.size();
    entries_.push_back({std::move(chunk), lane});
  }
  // Everything of `other`, which was never sent from, behind what is here.
  void Append(Outbox&& other) {
    for (Entry& entry : other.entries_) Push(std::move(entry.chunk), entry.lane);
    other.entries_.clear();
  }
  bool empty() const { return head_ == entries_.size(); }
  std::size_t bytes(Lane lane) const { return bytes_[static_cast<std::size_t>(lane)]; }
  std::size_t total_bytes() const { return bytes_[0] + bytes_[1] + bytes_[2]; }
  std::size_t size() const { return entries_.size() - head_; }

  // Up to `max` pieces, in order.
  std::size_t Pieces(iovec* out, std::size_t max) const {
    std::size_t count = 0;
    for (std::size_t i = head_; i < entries_.size() && count < max; ++i) {
      auto& bytes = entries_[i].chunk->bytes;
      const std::size_t from = i == head_ ? offset_ : 0;
      out[count++] = {const_cast<char*>(bytes.data()) + from, bytes.size() - from};
    }
    return count;
  }

  // `sent` bytes left for the kernel. Returns the frames of the chunks whose last byte went.
  std::uint64_t Consume(std::size_t sent) {
    std::uint64_t frames = 0;
    while (sent > 0 && head_ < entries_.size()) {
      Entry& entry = entries_[head_];
      const std::size_t take = std::min(sent, entry.chunk->bytes.size() - offset_);
      bytes_[static_cast<std::size_t>(entry.lane)] -= take;
      offset_ += take;
      sent -= take;
      if (offset_ < entry.chunk->bytes.size()) break;
      frames += entry.chunk->frames;
      entry.chunk = ChunkRef();
      offset_ = 0;
      ++head_;
    }
    Compact();
    return frames;
  }

  // Forgets what was not begun; a frame begun must be finished or the peer loses the framing. Returns the live records
  // forgotten.
  std::uint64_t DropUnsent() {
    std::uint64_t records = 0;
    const std::size_t keep = head_ + (offset_ > 0 ? 1 : 0);
    for (std::size_t i = keep; i < entries_.size(); ++i) {
      bytes_[static_cast<std::size_t>(entries_[i].lane)] -= entries_[i].chunk->bytes.size();
      if (entries_[i].lane == Lane::kLive) records += entries_[i].chunk->records;
    }
    if (keep < entries_.size()) entries_.resize(keep);
    Compact();
    return records;
  }

  // Live records not wholly sent: what is lost when the connection ends now.
  std::uint64_t UnsentRecords() const {
    std::uint64_t records = 0;
    for (std::size_t i = head_; i < entries_.size(); ++i) {
      if (entries_[i].lane == Lane::kLive) records += entries_[i].chunk->records;
    }
    return records;
  }

 private:
  struct Entry {
    ChunkRef chunk;
    Lane lane = Lane::kLive;
  };
  void Compact() {
    if (head_ == entries_.size()) {
      entries_.clear();
      if (entries_.capacity() > 64) entries_.shrink_to_fit();
      head_ = 0;
    } else if (head_ >= 64 && head_ * 2 >= entries_.size()) {
      entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
  }
  std::vector<Entry> entries_;
  std::size_t head_ = 0;
  std::size_t offset_ = 0;
  std::size_t bytes_[3] = {};
};

}  // namespace tw::fanout
