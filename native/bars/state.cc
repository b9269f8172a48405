// The aggregator's state as bytes. Little-endian, every struct without padding, so that Save of what Restore made is the
// same bytes:
//   magic "TWBARS1\0" | crc32c of the rest u32 | size of the rest u32 | options hash u64 | ts_max u64
//   | shard clocks u32 count, structs | shard epochs u32 count, structs | nodes u32 count, nodes
//   node: instrument u32 | epoch u32 | source u8 | set of flows u8 | zero u16 | cursors | flows
//   flow: FlowState | per interval: position u64, slots | parts (basis bar only)     slots: count u32, structs
#include <cstring>

#include "bars/aggregator_read.h"
#include "wire/crc32c.h"

namespace tw::bars {
namespace {

constexpr char kMagic[8] = {'T', 'W', 'B', 'A', 'R', 'S', '1', 0};
constexpr std::size_t kHead = 16;

struct ByteWriter {
  std::vector<std::uint8_t>* out;
  template <class T>
  void Put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
    out->insert(out->end(), bytes, bytes + sizeof(T));
  }
  void Slots(const SlotRing& ring) {
    Put(ring.size());
    for (std::uint32_t i = 0; i < ring.size(); ++i) Put(ring[i]);
  }
};

struct ByteReader {
  std::span<const std::uint8_t> bytes;
  std::size_t at = 0;
  template <class T>
  bool Get(T* value) {
    if (bytes.size() - at < sizeof(T)) return false;
    std::memcpy(value, bytes.data() + at, sizeof(T));
    at += sizeof(T);
    return true;
  }
  bool Slots(SlotRing* ring) {
    std::uint32_t count;
    if (!Get(&count) || count > kRecentMax) return false;
    std::uint64_t behind = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      Slot slot;
      if (!Get(&slot) || slot.start < behind || slot.end <= slot.start) return false;
      behind = slot.end;
      Slot evicted;
      bool has_evicted;
      *ring->Insert(slot.start, slot.end, &evicted, &has_evicted) = slot;
    }
    return true;
  }
};

}  // namespace

template <class Writer>
void Aggregator::SaveNode(const Node& node, Writer& writer) const {
  std::uint8_t flows = 0;
  for (std::size_t basis = 0; basis < kBasisCount; ++basis) {
    if (node.flows[basis] != nullptr) flows = static_cast<std::uint8_t>(flows | 1u << basis);
  }
  writer.Put(node.instrument_id);
  writer.Put(node.epoch);
  writer.Put(node.source);
  writer.Put(flows);
  writer.Put(std::uint16_t{0});
  writer.Put(node.cursors);
  for (const std::unique_ptr<Flow>& flow : node.flows) {
    if (flow == nullptr) continue;
    writer.Put(flow->state);
    for (const Series& series : flow->series) {
      writer.Put(series.position);
      writer.Slots(series.slots);
    }
    if (flow->parts != nullptr) writer.Slots(*flow->parts);
  }
}

template <class Reader>
bool Aggregator::RestoreNode(Reader& reader) {
  std::uint32_t instrument_id;
  std::uint32_t epoch;
  std::uint8_t source;
  std::uint8_t flows;
  std::uint16_t zero;
  if (!reader.Get(&instrument_id) || !reader.Get(&epoch) || !reader.Get(&source) || !reader.Get(&flows) || !reader.Get(&zero)) {
    return false;
  }
  const std::size_t before = nodes_.size();
  Node* node = (source & kSourceBackfill) == 0 && zero == 0 ? FindNode(instrument_id, source, true) : nullptr;
  if (node == nullptr || nodes_.size() == before) return false;  // Too many, or the same one twice.
  node->epoch = epoch;
  if (!reader.Get(&node->cursors)) return false;
  for (std::size_t basis = 0; basis < 8; ++basis) {
    if ((flows & (1u << basis)) == 0) continue;
    if (basis >= kBasisCount || !Reads(static_cast<BarBasis>(basis))) return false;
    Flow& flow = FlowOf(*node, static_cast<BarBasis>(basis));
    if (!reader.Get(&flow.state) || flow.state.hole_count >= 2 * kHolesMax) return false;
    if (flow.state.hole_is_open > 1 || (flow.state.hole_is_open == 1 && flow.state.hole_count == 0)) return false;
    for (std::size_t i = 0; i < flow.series.size(); ++i) {
      SlotRing& slots = flow.series[i].slots;
      if (!reader.Get(&flow.series[i].position) || !reader.Slots(&slots)) return false;
      for (std::uint32_t s = 0; s < slots.size(); ++s) {
        if (slots[s].Has(Slot::kOpen)) PushDue(*node, static_cast<BarBasis>(basis), i, slots[s]);
      }
    }
    if (flow.parts != nullptr && !reader.Slots(flow.parts.get())) return false;
  }
  return true;
}

void Aggregator::Save(std::vector<std::uint8_t>* out) const {
  out->clear();
  ByteWriter writer{out};
  writer.Put(kMagic);
  writer.Put(std::uint64_t{0});
  writer.Put(OptionsHash(options_));
  writer.Put(ts_max_);
  writer.Put(static_cast<std::uint32_t>(shards_.clocks.size()));
  for (const ShardClock& clock : shards_.clocks) writer.Put(clock);
  writer.Put(static_cast<std::uint32_t>(shards_.epochs.size()));
  for (const ShardEpoch& epoch : shards_.epochs) writer.Put(epoch);
  writer.Put(static_cast<std::uint32_t>(nodes_.size()));
  for (const std::unique_ptr<Node>& node : nodes_) SaveNode(*node, writer);
  const std::uint32_t crc = wire::Crc32c(out->data() + kHead, out->size() - kHead);
  const auto size = static_cast<std::uint32_t>(out->size() - kHead);
  std::memcpy(out->data() + 8, &crc, 4);
  std::memcpy(out->data() + 12, &size, 4);
}

void Aggregator::Reset() {
  ts_max_ = 0;
  nodes_.clear();
  by_key_.clear();
  newest_key_ = ~0ull;
  newest_node_ = nullptr;
  shards_ = Shards{};
  due_.Clear();
}

std::string Aggregator::Restore(std::span<const std::uint8_t> bytes) {
  Reset();
  std::string error = RestoreChecked(bytes);
  if (!error.empty()) Reset();
  return error;
}

std::string Aggregator::RestoreChecked(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kHead || std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0) return "not a bars state of this version";
  std::uint32_t crc;
  std::uint32_t size;
  std::memcpy(&crc, bytes.data() + 8, 4);
  std::memcpy(&size, bytes.data() + 12, 4);
  if (size != static_cast<std::uint32_t>(bytes.size() - kHead)) return "bars state: wrong size";
  if (crc != wire::Crc32c(bytes.data() + kHead, bytes.size() - kHead)) return "bars state: CRC does not match";
  ByteReader reader{bytes, kHead};
  std::uint64_t hash;
  std::uint32_t count;
  if (!reader.Get(&hash)) return "bars state: cut";
  if (hash != OptionsHash(options_)) return "bars state was written with other options (intervals, basis, lateness or sessions)";
  if (!reader.Get(&ts_max_)) return "bars state: cut";
  if (!reader.Get(&count) || count > kShardsMax) return "bars state: bad shards";
  shards_.clocks.resize(count);
  for (ShardClock& clock : shards_.clocks) {
    if (!reader.Get(&clock)) return "bars state: cut";
  }
  if (!reader.Get(&count) || count > kShardEpochsMax) return "bars state: bad shards";
  shards_.epochs.resize(count);
  for (ShardEpoch& epoch : shards_.epochs) {
    if (!reader.Get(&epoch)) return "bars state: cut";
  }
  if (!reader.Get(&count)) return "bars state: cut";
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!RestoreNode(reader)) return "bars state: bad instrument";
  }
  if (reader.at != bytes.size()) return "bars state: trailing bytes";
  return {};
}

}  // namespace tw::bars
