#include "wire/record_hash.h"

#include <algorithm>
#include <cstdio>
#include <unordered_map>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "model/stream.h"

namespace tw::wire {

struct RecordHash::State {
  struct Stream {
    StreamCursor cursor;
    std::uint64_t count = 0;
    XXH3_state_t* hash = nullptr;
  };
  std::unordered_map<StreamKey, Stream, StreamKeyHash> streams;
  std::uint64_t records = 0;
  std::uint64_t repeats = 0;

  ~State() {
    for (auto& [key, stream] : streams) XXH3_freeState(stream.hash);
  }
};

RecordHash::RecordHash() : state_(std::make_unique<State>()) {}
RecordHash::~RecordHash() = default;

void RecordHash::Add(const void* record) {
  const auto* header = static_cast<const Header*>(record);
  if (!HasStream(header->type)) return;
  auto [entry, fresh] = state_->streams.try_emplace(StreamOf(record));
  State::Stream& stream = entry->second;
  if (fresh) {
    stream.hash = XXH3_createState();
    XXH3_64bits_reset(stream.hash);
  }
  if (!stream.cursor.Accept(record)) {
    ++state_->repeats;
    return;
  }
  if (header->type == RecordType::kBar) {
    Bar bar = *static_cast<const Bar*>(record);
    bar.cause = {};
    XXH3_64bits_update(stream.hash, &bar, sizeof bar);
  } else {
    XXH3_64bits_update(stream.hash, record, RecordSize(header->type));
  }
  ++stream.count;
  ++state_->records;
}

std::string RecordHash::Digest() const {
  std::vector<const std::pair<const StreamKey, State::Stream>*> sorted;
  for (const auto& entry : state_->streams) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  std::vector<std::uint64_t> list;
  for (const auto* entry : sorted) {
    const StreamKey& key = entry->first;
    list.push_back((static_cast<std::uint64_t>(key.instrument_id) << 32) | key.interval_ms);
    list.push_back((static_cast<std::uint64_t>(key.type) << 16) | (static_cast<std::uint64_t>(key.source) << 8) | static_cast<std::uint64_t>(key.basis));
    list.push_back(entry->second.count);
    list.push_back(XXH3_64bits_digest(entry->second.hash));
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(XXH3_64bits(list.data(), list.size() * 8)));
  return text;
}

std::uint64_t RecordHash::records() const { return state_->records; }
std::uint64_t RecordHash::repeats() const { return state_->repeats; }
std::uint64_t RecordHash::streams() const { return state_->streams.size(); }

}  // namespace tw::wire
