#include "journal/frame.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "wire/crc32c.h"

namespace tw::journal {
namespace {

// Copy and CRC in chunks that stay in the first cache level; a multiple of the CRC's three lanes.
constexpr std::size_t kChunk = 12 << 10;

}  // namespace

std::uint64_t FrameBytes(const Appender::Message& message) {
  if (message.key.size() > kKeyMax || message.count == 0 || message.value.size() > kSegmentBytesMax) return 0;
  return kFrameHeaderBytes + Align8(message.key.size()) + Align8(message.value.size());
}

namespace {

// Header and key, with the CRC over them so far returned: `out` has kFrameHeaderBytes + Align8(key) bytes.
std::uint32_t WritePrefix(const Appender::Message& message, std::uint64_t base_offset, std::uint8_t* out) {
  const std::size_t key_bytes = Align8(message.key.size());
  FrameHeader header{};
  header.length = static_cast<std::uint32_t>(kFrameHeaderBytes + key_bytes + message.value.size());
  header.base_offset = base_offset;
  header.count = message.count;
  header.version = kFrameVersion;
  header.kind = static_cast<std::uint8_t>(message.kind);
  header.key_length = static_cast<std::uint16_t>(message.key.size());
  header.ts_recv = message.ts_recv;
  header.ts_recv_max = std::max(message.ts_recv, message.ts_recv_max);
  header.position_max = message.position_max;
  std::memcpy(out, &header, sizeof header);
  if (key_bytes != 0) {
    std::memset(out + kFrameHeaderBytes + key_bytes - 8, 0, 8);
    std::memcpy(out + kFrameHeaderBytes, message.key.data(), message.key.size());
  }
  return wire::Crc32c(out + 8, kFrameHeaderBytes + key_bytes - 8);
}

void PutCrc(std::uint32_t crc, std::uint8_t* frame) { std::memcpy(frame + offsetof(FrameHeader, crc), &crc, sizeof crc); }

}  // namespace

void WriteFrame(const Appender::Message& message, std::uint64_t base_offset, std::uint8_t* out) {
  const std::size_t key_bytes = Align8(message.key.size());
  const std::size_t length = kFrameHeaderBytes + key_bytes + message.value.size();
  std::uint32_t crc = WritePrefix(message, base_offset, out);
  std::uint8_t* to = out + kFrameHeaderBytes + key_bytes;
  const std::uint8_t* from = message.value.data();
  for (std::size_t left = message.value.size(); left > 0;) {
    const std::size_t n = std::min(left, kChunk);
    std::memcpy(to, from, n);
    crc = wire::Crc32c(to, n, crc);
    to += n;
    from += n;
    left -= n;
  }
  const std::size_t padding = Align8(length) - length;
  if (padding != 0) std::memset(to, 0, padding);
  PutCrc(crc, out);
}

bool WriteFrameToFile(const Appender::Message& message, std::uint64_t base_offset, bool terminate, int fd, std::uint64_t at,
                      std::vector<std::uint8_t>* scratch) {
  const std::size_t prefix = kFrameHeaderBytes + Align8(message.key.size());
  if (scratch->size() < prefix) scratch->resize(prefix);
  std::uint32_t crc = WritePrefix(message, base_offset, scratch->data());
  crc = wire::Crc32c(message.value.data(), message.value.size(), crc);
  PutCrc(crc, scratch->data());
  std::uint8_t zeros[16] = {};
  const std::size_t padding = Align8(message.value.size()) - message.value.size() + (terminate ? 8 : 0);
  iovec parts[3] = {{scratch->data(), prefix}, {const_cast<std::uint8_t*>(message.value.data()), message.value.size()}, {zeros, padding}};
  std::size_t left = prefix + message.value.size() + padding;
  for (iovec* part = parts; left > 0;) {
    const ssize_t written = ::pwritev(fd, part, static_cast<int>(parts + 3 - part), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += static_cast<std::uint64_t>(written);
    left -= static_cast<std::size_t>(written);
    for (auto done = static_cast<std::size_t>(written); done > 0 || (part < parts + 3 && part->iov_len == 0);) {
      const std::size_t step = std::min(done, part->iov_len);
      part->iov_base = static_cast<std::uint8_t*>(part->iov_base) + step;
      part->iov_len -= step;
      done -= step;
      if (part->iov_len == 0) ++part;
      if (part == parts + 3) break;
    }
  }
  return true;
}

bool ReadFrameUnchecked(const std::uint8_t* data, std::uint64_t size, FrameView* out) {
  if (size < kFrameHeaderBytes) return false;
  const auto* header = reinterpret_cast<const FrameHeader*>(data);
  const std::uint64_t length = header->length;
  const std::uint64_t prefix = kFrameHeaderBytes + Align8(header->key_length);
  if (length < prefix || Align8(length) > size) return false;
  if (header->version != kFrameVersion || header->count == 0) return false;
  if (header->kind != static_cast<std::uint8_t>(Kind::kBatch) && header->kind != static_cast<std::uint8_t>(Kind::kOpaque)) return false;
  if (header->base_offset > kOffsetMax - header->count) return false;
  out->header = header;
  out->bytes = Align8(length);
  out->message.offset = header->base_offset;
  out->message.count = header->count;
  out->message.kind = static_cast<Kind>(header->kind);
  out->message.key = {reinterpret_cast<const char*>(data) + kFrameHeaderBytes, header->key_length};
  out->message.value = {data + prefix, static_cast<std::size_t>(length - prefix)};
  out->message.ts_recv = header->ts_recv;
  out->message.ts_recv_max = header->ts_recv_max;
  return true;
}

bool ReadFrame(const std::uint8_t* data, std::uint64_t size, FrameView* out) {
  FrameView frame;
  if (!ReadFrameUnchecked(data, size, &frame)) return false;
  if (wire::Crc32c(data + 8, frame.header->length - 8) != frame.header->crc) return false;
  *out = frame;
  return true;
}

bool FindFrame(const std::uint8_t* base, std::uint64_t from, std::uint64_t limit, std::uint64_t offset_min,
               std::uint64_t offset_max, std::uint64_t* position, FrameView* out) {
  for (std::uint64_t at = Align8(from); at + kFrameHeaderBytes <= limit; at += 8) {
    FrameView frame;
    if (!ReadFrameUnchecked(base + at, limit - at, &frame)) continue;
    if (frame.message.offset < offset_min || frame.next_offset() > offset_max) continue;
    if (!ReadFrame(base + at, limit - at, &frame)) continue;
    *position = at;
    *out = frame;
    return true;
  }
  return false;
}

}  // namespace tw::journal
