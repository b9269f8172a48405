// Records as WebSocket frames: binary (envelope and TWB1 batch) or JSON. docs/reference/websocket.md draws the envelope.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "model/instrument.h"
#include "model/record.h"
#include "wire/batch.h"

namespace tw::fanout {

enum class Format : std::uint8_t { kBinary = 0, kJson = 1 };
enum class FrameKind : std::uint8_t { kLive = 0, kSnapshot = 1, kConflated = 2 };

inline constexpr std::size_t kEnvelopeSize = 16;  // A multiple of 8: the batch behind it stays aligned.
inline constexpr std::uint8_t kEnvelopeVersion = 1;

struct FrameMeta {
  FrameKind kind = FrameKind::kLive;
  std::uint16_t topic = 0;         // The gateway's number of the topic.
  std::uint16_t partition = 0;
  std::uint16_t subscription = 0;  // 0: the frame is shared by all who asked for the same.
  std::uint64_t offset = 0;        // In the log, of the message the records came from; 0 for snapshots and conflated values.
  std::string_view topic_name;
};

class Encoder {
 public:
  Encoder(const InstrumentTable& instruments, std::size_t frame_bytes_max)
      : instruments_(instruments), frame_bytes_max_(frame_bytes_max) {}

  // A whole batch as it stands in the log: one frame.
  void AppendBatch(const FrameMeta& meta, std::span<const std::uint8_t> batch, std::string* out) const;
  // Records of one type, in frames of at most frame_bytes_max (one record at least). Returns how many.
  std::uint32_t AppendRecords(Format format, const FrameMeta& meta, std::span<const Header* const> records, std::uint64_t origin,
                              std::uint64_t ts_append, std::string* out);
  std::size_t frame_bytes_max() const { return frame_bytes_max_; }

 private:
  std::uint32_t AppendJson(const FrameMeta& meta, std::span<const Header* const> records, std::string* out);

  const InstrumentTable& instruments_;
  const std::size_t frame_bytes_max_;
  wire::BatchBuilder builder_;
  std::string scratch_;
};

}  // namespace tw::fanout
