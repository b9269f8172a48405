// The record hash of a set of records: per stream, xxh3-64 over its records' bytes in order (a bar's cause zeroed; clock and
// status records left out; repeats dropped by StreamCursor), then xxh3-64 over the sorted (stream, count, hash) list.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

namespace tw::wire {

class RecordHash {
 public:
  RecordHash();
  ~RecordHash();
  // `record` points at RecordSize(type) bytes. Records of a stream come in order; streams may interleave.
  void Add(const void* record);
  // 16 lower-case hex digits.
  std::string Digest() const;
  std::uint64_t records() const;
  std::uint64_t repeats() const;
  std::uint64_t streams() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tw::wire
