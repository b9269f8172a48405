#include "wire/batch.h"

#include <array>
#include <algorithm>

#include "wire/generated/tickwire_generated.h"

namespace tw::wire {
namespace {

// The envelope's bytes up to the first record are the same for every batch of a type but for a few scalars: FlatBuffers
// lays them out once, and a batch is that prefix, patched, followed by the records.
struct Prefix {
  std::vector<std::uint8_t> bytes;
  std::size_t count = 0;  // Positions of the scalars to patch.
  std::size_t flags = 0;
  std::size_t origin = 0;
  std::size_t ts_append = 0;
  std::size_t ts_recv_first = 0;
  std::size_t ts_event_max = 0;
  std::size_t vector_length = 0;
};

template <class Struct, class Add>
Prefix MakePrefix(RecordType type, Add add) {
  flatbuffers::FlatBufferBuilder builder(1024);
  builder.ForceDefaults(true);
  Struct* records = nullptr;
  const auto vector = builder.CreateUninitializedVectorOfStructs<Struct>(1, &records);
  std::memset(static_cast<void*>(records), 0, sizeof(Struct));
  fb::BatchBuilder batch(builder);
  batch.add_type(static_cast<std::uint8_t>(type));
  batch.add_record_size(static_cast<std::uint16_t>(sizeof(Struct)));
  batch.add_count(1);
  batch.add_flags(0);
  batch.add_origin(0);
  batch.add_ts_append(0);
  batch.add_ts_recv_first(0);
  batch.add_ts_event_max(0);
  add(batch, vector);
  fb::FinishBatchBuffer(builder, batch.Finish());

  const std::uint8_t* data = builder.GetBufferPointer();
  const std::size_t size = builder.GetSize();
  const auto* root = fb::GetBatch(data);
  const auto* table = reinterpret_cast<const flatbuffers::Table*>(root);
  const auto at = [&](flatbuffers::voffset_t field) {
    return static_cast<std::size_t>(table->GetAddressOf(field) - data);
  };
  Prefix prefix;
  prefix.bytes.assign(data, data + (size - sizeof(Struct)));
  prefix.count = at(fb::Batch::VT_COUNT);
  prefix.flags = at(fb::Batch::VT_FLAGS);
  prefix.origin = at(fb::Batch::VT_ORIGIN);
  prefix.ts_append = at(fb::Batch::VT_TS_APPEND);
  prefix.ts_recv_first = at(fb::Batch::VT_TS_RECV_FIRST);
  prefix.ts_event_max = at(fb::Batch::VT_TS_EVENT_MAX);
  prefix.vector_length = prefix.bytes.size() - sizeof(flatbuffers::uoffset_t);
  return prefix;
}

// CALL(type, Struct, field) for every record type of the schema.
#define TW_WIRE_TYPES(CALL)            \
  CALL(kTrade, Trade, trades)          \
  CALL(kQuote, Quote, quotes)          \
  CALL(kTicker, Ticker, tickers)       \
  CALL(kIndex, Index, indexes)         \
  CALL(kDepth5, Depth5, depth5s)       \
  CALL(kDepth10, Depth10, depth10s)    \
  CALL(kDepth20, Depth20, depth20s)    \
  CALL(kLevel, Level, levels)          \
  CALL(kBar, Bar, bars)                \
  CALL(kGap, Gap, gaps)                \
  CALL(kClock, Clock, clocks)          \
  CALL(kStatus, Status, statuses)

const Prefix& PrefixOf(RecordType type) {
  static const auto kPrefixes = [] {
    std::array<Prefix, kRecordTypeMax + 1> prefixes;
#define TW_PREFIX(TYPE, STRUCT, FIELD)                                                                \
  static_assert(sizeof(fb::STRUCT) == sizeof(tw::STRUCT) && alignof(fb::STRUCT) == alignof(tw::STRUCT)); \
  prefixes[static_cast<std::size_t>(RecordType::TYPE)] =                                              \
      MakePrefix<fb::STRUCT>(RecordType::TYPE, [](fb::BatchBuilder& b, auto v) { b.add_##FIELD(v); });
    TW_WIRE_TYPES(TW_PREFIX)
#undef TW_PREFIX
    return prefixes;
  }();
  return kPrefixes[static_cast<std::size_t>(type)];
}

template <class T>
void Put(std::uint8_t* base, std::size_t at, T value) {
  std::memcpy(base + at, &value, sizeof value);
}

template <class Vector>
bool TakeVector(const Vector* vector, std::uint32_t* count, const std::uint8_t** data) {
  if (vector == nullptr) return false;
  *count = vector->size();
  *data = vector->Data();
  return true;
}

}  // namespace

BatchBuilder::BatchBuilder(std::size_t records_max) : records_max_(records_max) {}

void BatchBuilder::Begin(RecordType type, std::uint64_t origin) {
  const Prefix& prefix = PrefixOf(type);
  record_size_ = RecordSize(type);
  prefix_ = prefix.bytes.size();
  const std::size_t words = (prefix_ + 64 * record_size_) / 8 + 1;
  if (buffer_.size() < words) buffer_.resize(words);
  std::memcpy(buffer_.data(), prefix.bytes.data(), prefix_);
  end_ = prefix_;
  info_ = BatchInfo{};
  info_.type = type;
  info_.origin = origin;
  info_.ts_recv_first = ~0ull;
  ts_recv_max_ = 0;
  position_max_ = 0;
}

bool BatchBuilder::Add(const void* record) {
  if (info_.count >= records_max_) return false;
  const std::size_t words = (end_ + record_size_) / 8 + 1;
  if (words > buffer_.size()) buffer_.resize(words * 2);
  std::memcpy(reinterpret_cast<std::uint8_t*>(buffer_.data()) + end_, record, record_size_);
  end_ += record_size_;
  ++info_.count;
  const auto* header = static_cast<const Header*>(record);
  info_.ts_recv_first = std::min(info_.ts_recv_first, header->ts_recv);
  info_.ts_event_max = std::max(info_.ts_event_max, header->ts_event);
  ts_recv_max_ = std::max(ts_recv_max_, header->ts_recv);
  if (header->instrument_id != 0) position_max_ = std::max(position_max_, header->position());
  return true;
}

std::span<const std::uint8_t> BatchBuilder::Finish(std::uint64_t ts_append) {
  info_.ts_append = ts_append;
  if (info_.count == 0) info_.ts_recv_first = 0;
  const Prefix& prefix = PrefixOf(info_.type);
  auto* base = reinterpret_cast<std::uint8_t*>(buffer_.data());
  Put(base, prefix.count, info_.count);
  Put(base, prefix.flags, info_.flags);
  Put(base, prefix.origin, info_.origin);
  Put(base, prefix.ts_append, info_.ts_append);
  Put(base, prefix.ts_recv_first, info_.ts_recv_first);
  Put(base, prefix.ts_event_max, info_.ts_event_max);
  Put(base, prefix.vector_length, info_.count);
  return {base, end_};
}

BatchError BatchView::Parse(std::span<const std::uint8_t> bytes, BatchView* out) {
  if (bytes.size() < 16 || reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 != 0) return BatchError::kNotABatch;
  flatbuffers::Verifier verifier(bytes.data(), bytes.size());
  if (!fb::VerifyBatchBuffer(verifier)) return BatchError::kNotABatch;
  const auto* batch = fb::GetBatch(bytes.data());
  BatchView view;
  view.info_.type = static_cast<RecordType>(batch->type());
  view.info_.flags = batch->flags();
  view.info_.origin = batch->origin();
  view.info_.ts_append = batch->ts_append();
  view.info_.ts_recv_first = batch->ts_recv_first();
  view.info_.ts_event_max = batch->ts_event_max();
  view.record_size_ = RecordSize(view.info_.type);
  if (view.record_size_ == 0) return BatchError::kUnknownType;
  bool found = false;
  switch (view.info_.type) {
#define TW_TAKE(TYPE, STRUCT, FIELD) \
  case RecordType::TYPE: found = TakeVector(batch->FIELD(), &view.info_.count, &view.records_); break;
    TW_WIRE_TYPES(TW_TAKE)
#undef TW_TAKE
    default: break;
  }
  if (!found || batch->record_size() != view.record_size_ || batch->count() != view.info_.count) return BatchError::kBadSize;
  if (reinterpret_cast<std::uintptr_t>(view.records_) % 8 != 0) return BatchError::kBadSize;
  // Every record must be of the batch's type: readers index by it.
  for (std::uint32_t i = 0; i < view.info_.count; ++i) {
    if (view[i]->type != view.info_.type) return BatchError::kBadSize;
  }
  *out = view;
  return BatchError::kNone;
}

}  // namespace tw::wire
