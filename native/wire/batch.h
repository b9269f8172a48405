// The batch envelope (FlatBuffers table `Batch`, file identifier TWB1) around a vector of one record type. The only place
// that knows FlatBuffers; everybody else sees spans of records.
#pragma once
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "model/record.h"

namespace tw::wire {

struct BatchInfo {
  RecordType type = RecordType::kNone;
  std::uint32_t count = 0;
  std::uint16_t flags = 0;
  std::uint64_t origin = 0;  // Process incarnation.
  std::uint64_t ts_append = 0;
  std::uint64_t ts_recv_first = 0;
  std::uint64_t ts_event_max = 0;
};

// Builds one batch at a time in a buffer it owns and reuses: no allocation once it has grown to its largest batch.
class BatchBuilder {
 public:
  explicit BatchBuilder(std::size_t records_max = 4096);
  void Begin(RecordType type, std::uint64_t origin);
  // `record` points at RecordSize(type) bytes of the type begun. False: the batch is full.
  bool Add(const void* record);
  // The finished bytes, valid until the next Begin. ts_append is written in place.
  std::span<const std::uint8_t> Finish(std::uint64_t ts_append);

  RecordType type() const { return info_.type; }
  std::uint32_t count() const { return info_.count; }
  bool full() const { return info_.count >= records_max_; }
  const BatchInfo& info() const { return info_; }
  std::uint64_t ts_recv_max() const { return ts_recv_max_; }
  std::uint64_t position_max() const { return position_max_; }

 private:
  std::size_t records_max_;
  std::vector<std::uint64_t> buffer_;  // 8-aligned.
  std::size_t prefix_ = 0;
  std::size_t record_size_ = 0;
  std::size_t end_ = 0;
  BatchInfo info_;
  std::uint64_t ts_recv_max_ = 0;
  std::uint64_t position_max_ = 0;
};

enum class BatchError : std::uint8_t { kNone = 0, kNotABatch, kUnknownType, kBadSize };

// A read-only view of a batch: checks everything before it points at anything. Bytes must be 8-aligned and outlive it.
class BatchView {
 public:
  static BatchError Parse(std::span<const std::uint8_t> bytes, BatchView* out);
  const BatchInfo& info() const { return info_; }
  std::size_t record_size() const { return record_size_; }
  std::uint32_t size() const { return info_.count; }
  const Header* operator[](std::size_t i) const { return reinterpret_cast<const Header*>(records_ + i * record_size_); }
  template <class Record>
  std::span<const Record> As() const {
    return {reinterpret_cast<const Record*>(records_), info_.count};
  }
  const std::uint8_t* data() const { return records_; }

 private:
  BatchInfo info_;
  const std::uint8_t* records_ = nullptr;
  std::size_t record_size_ = 0;
};

}  // namespace tw::wire
