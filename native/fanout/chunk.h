// Encoded frames, made once and shared by every client that gets them: a client's queue holds a reference and an offset.
// Threads:   all under the gateway's lock; counts are plain integers.
// Ownership: chunks return to the pool with their capacity, so a steady stream allocates nothing.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tw::fanout {

// What a chunk holds of one stream: `member` is the stream's number in the group.
struct Share {
  std::uint32_t member = 0;
  std::uint64_t count = 0;
  std::uint64_t first = 0;  // position() of its first and last record.
  std::uint64_t last = 0;
  // Of these, gap records, and the records that the engine's own among them stand for: who loses a gap record is told of both.
  std::uint64_t gap_records = 0;
  std::uint64_t lost = 0;
};

class ChunkPool;

struct Chunk {
  std::string bytes;  // Whole WebSocket frames.
  std::uint64_t records = 0;
  std::uint32_t frames = 0;
  std::vector<Share> shares;

 private:
  friend class ChunkRef;
  friend class ChunkPool;
  std::uint32_t references = 0;
  ChunkPool* pool = nullptr;
};

class ChunkRef {
 public:
  ChunkRef() = default;
  explicit ChunkRef(Chunk* chunk) : chunk_(chunk) { Hold(); }
  ChunkRef(const ChunkRef& other) : chunk_(other.chunk_) { Hold(); }
  ChunkRef(ChunkRef&& other) noexcept : chunk_(std::exchange(other.chunk_, nullptr)) {}
  ChunkRef& operator=(ChunkRef other) noexcept {
    std::swap(chunk_, other.chunk_);
    return *this;
  }
  ~ChunkRef() { Release(); }
  Chunk* operator->() const { return chunk_; }
  Chunk& operator*() const { return *chunk_; }
  explicit operator bool() const { return chunk_ != nullptr; }

 private:
  void Hold() {
    if (chunk_ != nullptr) ++chunk_->references;
  }
  inline void Release();
  Chunk* chunk_ = nullptr;
};

class ChunkPool {
 public:
  ChunkRef Take() {
    if (free_.empty()) {
      free_.push_back(std::make_unique<Chunk>());
      free_.back()->pool = this;
    }
    Chunk* chunk = free_.back().release();
    free_.pop_back();
    return ChunkRef(chunk);
  }

 private:
  friend class ChunkRef;
  static constexpr std::size_t kKept = 256;
  static constexpr std::size_t kKeptBytes = 256 << 10;  // A larger one was an exception; it is freed.
  void Return(Chunk* chunk) {
    std::unique_ptr<Chunk> owned(chunk);
    if (free_.size() >= kKept || chunk->bytes.capacity() > kKeptBytes) return;
    chunk->bytes.clear();
    chunk->records = 0;
    chunk->frames = 0;
    chunk->shares.clear();
    free_.push_back(std::move(owned));
  }
  std::vector<std::unique_ptr<Chunk>> free_;
};

inline void ChunkRef::Release() {
  if (chunk_ != nullptr && --chunk_->references == 0) chunk_->pool->Return(chunk_);
  chunk_ = nullptr;
}

}  // namespace tw::fanout
