// Frames: how a message stands in a segment. Pure functions over bytes; whoever calls owns the memory and its bounds.
#pragma once
#include <cstdint>
#include <vector>

#include "journal/format.h"
#include "journal/log.h"

namespace tw::journal {

// Bytes the message takes, padding included; 0: it can never be framed (key or value too long, count 0).
std::uint64_t FrameBytes(const Appender::Message& message);
// Writes the frame at `out`, which has FrameBytes() bytes: one copy of the value with its CRC over the copied bytes.
void WriteFrame(const Appender::Message& message, std::uint64_t base_offset, std::uint8_t* out);
// The same through the file: for large values, because the kernel need not zero a page that it is about to fill. `scratch`
// keeps its room between calls. `terminate`: a zero length follows. False: errno tells; the frame is then not whole.
bool WriteFrameToFile(const Appender::Message& message, std::uint64_t base_offset, bool terminate, int fd, std::uint64_t at,
                      std::vector<std::uint8_t>* scratch);

struct FrameView {
  const FrameHeader* header = nullptr;
  std::uint64_t bytes = 0;  // With padding.
  MessageView message;
  std::uint64_t next_offset() const { return message.offset + message.count; }
};
// The frame at `data`, of which `size` bytes may be read. False: no whole, CRC-good frame there.
bool ReadFrame(const std::uint8_t* data, std::uint64_t size, FrameView* out);
// The same without the CRC: only for stretches that were checked before.
bool ReadFrameUnchecked(const std::uint8_t* data, std::uint64_t size, FrameView* out);
// The first good frame at or behind `from` (8-aligned) and before `limit` whose offsets lie in [offset_min, offset_max].
// False: none.
bool FindFrame(const std::uint8_t* base, std::uint64_t from, std::uint64_t limit, std::uint64_t offset_min,
               std::uint64_t offset_max, std::uint64_t* position, FrameView* out);

}  // namespace tw::journal
