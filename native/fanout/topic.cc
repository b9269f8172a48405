#include "fanout/topic.h"

#include <algorithm>
#include <cstring>

#include "fanout/ws_frame.h"

namespace tw::fanout {

void Stream::Keep(const Header* record) {
  const std::size_t words = RecordSize(record->type) / 8;
  record_words = words;
  if (values < history && ring.size() < (values + 1) * words) ring.resize(std::min(history, std::max<std::size_t>(1, values * 2)) * words);
  std::memcpy(ring.data() + values % history * words, record, words * 8);
  ++values;
  value_count = count;
  gap_after_value = false;
}

bool Filter::Wants(const Stream& stream) const {
  if (!symbols.empty()) {
    if (stream.instrument == nullptr || !std::binary_search(symbols.begin(), symbols.end(), stream.instrument->symbol)) return false;
  }
  // A gap in a stream of bars names its basis and not its interval, so it concerns every interval.
  return intervals_ms.empty() || stream.key.interval_ms == 0 ||
         std::binary_search(intervals_ms.begin(), intervals_ms.end(), stream.key.interval_ms);
}

std::string Filter::Key() const {
  std::string key = format == Format::kBinary ? "b" : "j";
  for (const auto& symbol : symbols) key += " " + symbol;
  for (const auto interval : intervals_ms) key += " /" + std::to_string(interval);
  return key;
}

void Group::AppendAnnouncement(std::uint32_t from, const InstrumentTable& instruments, std::string* out) const {
  constexpr std::uint32_t kMost = 512;  // Per frame.
  for (std::uint32_t at = from; at < announced();) {
    std::string text = "{\"op\":\"instruments\",\"topic\":\"" + topic_->name() + "\",\"topicNumber\":" + std::to_string(topic_->number()) + ",\"instruments\":[";
    const std::uint32_t end = std::min(announced(), at + kMost);
    for (std::uint32_t i = at; i < end; ++i) {
      const Instrument* instrument = instruments.Find(announced_[i]);
      if (i != at) text += ',';
      text += "{\"id\":" + std::to_string(announced_[i]);
      if (instrument == nullptr) {
        text += ",\"symbol\":null,\"priceExponent\":0,\"sizeExponent\":0}";
      } else {
        text += ",\"symbol\":\"" + instrument->symbol + "\",\"priceExponent\":" + std::to_string(instrument->price_exponent) +
                ",\"sizeExponent\":" + std::to_string(instrument->size_exponent) + "}";
      }
    }
    text += "]}";
    AppendFrame(Opcode::kText, text, out);
    at = end;
  }
}

std::uint32_t Topic::UnknownInstrument(const wire::BatchView& batch) const {
  if (!HasStream(batch.info().type)) return 0;
  for (std::uint32_t i = 0; i < batch.size(); ++i) {
    const std::uint32_t id = batch[i]->instrument_id;
    if (id != 0 && instruments_.Find(id) == nullptr) return id;
  }
  return 0;
}

void Topic::Join(Stream* stream, Group* group) {
  for (const auto& membership : stream->groups) {
    if (membership.group == group) return;
  }
  if (!group->filter_.Wants(*stream)) return;
  stream->groups.push_back({group, static_cast<std::uint32_t>(group->members_.size())});
  group->members_.push_back(stream);
  group->joined_.push_back(stream->count);
  group->share_of_member_.push_back(0);
  const std::uint64_t named = static_cast<std::uint64_t>(stream->key.instrument_id) << 1 | (stream->instrument != nullptr ? 1 : 0);
  if (group->announced_set_.insert(named).second) group->announced_.push_back(stream->key.instrument_id);
}

void Topic::Resolve(Stream* stream) {
  stream->instrument = instruments_.Find(stream->key.instrument_id);
  if (stream->instrument == nullptr) return;
  for (const auto& membership : stream->groups) {
    Group* group = membership.group;
    const std::uint64_t named = static_cast<std::uint64_t>(stream->key.instrument_id) << 1 | 1;
    if (group->announced_set_.insert(named).second) group->announced_.push_back(stream->key.instrument_id);
  }
  for (auto& [key, group] : groups_) Join(stream, group.get());
}

Stream* Topic::StreamFor(const void* record) {
  const StreamKey key = StreamOf(record);
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    if (found->second->instrument == nullptr) [[unlikely]] Resolve(found->second);
    return found->second;
  }
  auto stream = std::make_unique<Stream>();
  stream->key = key;
  stream->history = key.type == RecordType::kBar ? std::max<std::size_t>(1, bar_history_) : 1;
  stream->instrument = instruments_.Find(key.instrument_id);
  if (stream->instrument == nullptr) ++counters.unknown_instruments;
  Stream* made = stream.get();
  by_key_.emplace(key, made);
  streams_.push_back(std::move(stream));
  for (auto& [text, group] : groups_) Join(made, group.get());
  return made;
}

void Topic::Begin(Group* group) {
  if (group->chunk_) return;
  group->chunk_ = pool_->Take();
  touched_.push_back(group);
}

void Topic::Note(const Stream::Membership& membership, const Header* record) {
  Group* group = membership.group;
  Begin(group);
  auto& shares = group->chunk_->shares;
  std::uint32_t& share = group->share_of_member_[membership.member];
  if (share == 0) {
    shares.push_back({.member = membership.member, .count = 0, .first = record->position(), .last = 0, .gap_records = 0, .lost = 0});
    share = static_cast<std::uint32_t>(shares.size());
  }
  Share& counted = shares[share - 1];
  ++counted.count;
  counted.last = record->position();
  if (record->type == RecordType::kGap) {
    const auto* gap = reinterpret_cast<const Gap*>(record);
    ++counted.gap_records;
    if (gap->ours() && gap->count != kUnknownCount && gap->count != 0) {
      counted.lost += gap->count;
      counted.last += gap->count - 1;
    }
  }
  if (group->taken_.empty()) taking_.push_back(group);
  group->taken_.push_back(record);
}

void Topic::Take(std::uint16_t partition, std::uint64_t offset, std::span<const std::uint8_t> bytes, const wire::BatchView& batch,
                 std::size_t chunk_bytes_max, const Emit& emit) {
  if (!HasStream(batch.info().type)) {
    counters.without_stream += batch.size();
    return;
  }
  const FrameMeta meta{.topic = number_, .partition = partition, .offset = offset, .topic_name = name_};
  // A batch larger than a chunk is cut, so that a subscriber's limit can be kept to the byte.
  const std::size_t slice = std::max<std::size_t>(1, chunk_bytes_max / batch.record_size());
  for (std::uint32_t from = 0; from < batch.size();) {
    const std::uint32_t to = static_cast<std::uint32_t>(std::min<std::size_t>(batch.size(), from + slice));
    for (std::uint32_t i = from; i < to; ++i) {
      const Header* record = batch[i];
      Stream* stream = StreamFor(record);
      if (!stream->cursor.Accept(record)) {
        ++counters.repeats;
        continue;
      }
      ++counters.records;
      ++stream->count;
      if (record->type == RecordType::kGap) {
        stream->gap_after_value = true;
        std::memcpy(&stream->gap, record, sizeof(Gap));
      } else {
        stream->Keep(record);
      }
      for (const auto& membership : stream->groups) Note(membership, record);
    }
    for (Group* group : taking_) {
      Chunk& chunk = *group->chunk_;
      chunk.records += group->taken_.size();
      const bool whole = group->filter_.format == Format::kBinary && from == 0 && to == batch.size() && group->taken_.size() == batch.size();
      if (whole) {
        encoder_->AppendBatch(meta, bytes, &chunk.bytes);
        ++chunk.frames;
      } else {
        chunk.frames += encoder_->AppendRecords(group->filter_.format, meta, group->taken_, batch.info().origin, batch.info().ts_append, &chunk.bytes);
      }
      group->taken_.clear();
    }
    const bool full = std::any_of(taking_.begin(), taking_.end(), [&](Group* g) { return g->chunk_->bytes.size() >= chunk_bytes_max; });
    taking_.clear();
    if (full) Flush(emit);
    from = to;
  }
}

void Topic::Flush(const Emit& emit) {
  for (Group* group : touched_) {
    ChunkRef chunk = std::move(group->chunk_);
    group->chunk_ = ChunkRef();
    for (const Share& share : chunk->shares) group->share_of_member_[share.member] = 0;
    emit(group, chunk);
  }
  touched_.clear();
}

Group* Topic::FindOrMakeGroup(Filter filter) {
  auto& group = groups_[filter.Key()];
  if (group == nullptr) {
    group = std::make_unique<Group>(this, std::move(filter));
    for (const auto& stream : streams_) Join(stream.get(), group.get());
  }
  return group.get();
}

void Topic::DropGroupIfEmpty(Group* group) {
  if (!group->subscriptions.empty()) return;
  for (Stream* stream : group->members_) {
    std::erase_if(stream->groups, [&](const auto& membership) { return membership.group == group; });
  }
  groups_.erase(group->filter_.Key());
}

}  // namespace tw::fanout
