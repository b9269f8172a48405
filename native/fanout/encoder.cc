#include "fanout/encoder.h"

#include <algorithm>
#include <cstring>

#include "fanout/ws_frame.h"
#include "wire/json.h"

namespace tw::fanout {
namespace {

constexpr const char* kKindNames[] = {"live", "snapshot", "conflated"};

void AppendEnvelope(const FrameMeta& meta, std::string* out) {
  char envelope[kEnvelopeSize];
  envelope[0] = static_cast<char>(kEnvelopeVersion);
  envelope[1] = static_cast<char>(meta.kind);
  std::memcpy(envelope + 2, &meta.topic, 2);
  std::memcpy(envelope + 4, &meta.partition, 2);
  std::memcpy(envelope + 6, &meta.subscription, 2);
  std::memcpy(envelope + 8, &meta.offset, 8);
  out->append(envelope, kEnvelopeSize);
}

}  // namespace

void Encoder::AppendBatch(const FrameMeta& meta, std::span<const std::uint8_t> batch, std::string* out) const {
  AppendFrameHeader(Opcode::kBinary, kEnvelopeSize + batch.size(), out);
  AppendEnvelope(meta, out);
  out->append(reinterpret_cast<const char*>(batch.data()), batch.size());
}

std::uint32_t Encoder::AppendRecords(Format format, const FrameMeta& meta, std::span<const Header* const> records, std::uint64_t origin,
                                     std::uint64_t ts_append, std::string* out) {
  if (format == Format::kJson) return AppendJson(meta, records, out);
  std::uint32_t frames = 0;
  if (records.empty()) return frames;
  const std::size_t most = std::max<std::size_t>(1, frame_bytes_max_ / RecordSize(records[0]->type));
  for (std::size_t from = 0; from < records.size(); from += most) {
    builder_.Begin(records[0]->type, origin);
    for (const Header* record : records.subspan(from, std::min(most, records.size() - from))) builder_.Add(record);
    AppendBatch(meta, builder_.Finish(ts_append), out);
    ++frames;
  }
  return frames;
}

std::uint32_t Encoder::AppendJson(const FrameMeta& meta, std::span<const Header* const> records, std::string* out) {
  std::size_t at = 0;
  std::uint32_t frames = 0;
  while (at < records.size()) {
    scratch_.clear();
    scratch_ += "{\"topic\":\"";
    scratch_ += meta.topic_name;
    scratch_ += "\",\"kind\":\"";
    scratch_ += kKindNames[static_cast<std::size_t>(meta.kind)];
    scratch_ += "\",\"subscription\":";
    scratch_ += std::to_string(meta.subscription);
    scratch_ += ",\"offset\":\"";
    scratch_ += std::to_string(meta.offset);
    scratch_ += "\",\"records\":[";
    bool first = true;
    do {
      if (!first) scratch_ += ',';
      first = false;
      wire::AppendRecordJson(records[at], instruments_, &scratch_);
      ++at;
    } while (at < records.size() && scratch_.size() < frame_bytes_max_);
    scratch_ += "]}";
    AppendFrame(Opcode::kText, scratch_, out);
    ++frames;
  }
  return frames;
}

}  // namespace tw::fanout
