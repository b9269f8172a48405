// Our own capture format: the raw frames of a live feed with their receive times, the openings of its sessions, and the
// instruments it listed, so that a replay into an empty registry gives the same identities and scales.
//
//   file   magic "TWCAPT01", u32 version (1), u32 reserved
//   item   u32 marker "TWF1", u32 length of what follows the CRC, u32 CRC32C of (length, what follows), then
//          u8 type (1 opening, 2 frame, 3 listing: JSON in data), u8 kind (frame) or source (opening), u16 length of about, u32 epoch (opening),
//          u64 ts_recv, u16 shard (opening), u8 exchange (opening), u8 reserved, u32 length of data, about, data
// Little-endian. About is the URL of a REST answer, or the venue of an opening. A damaged item is counted and the next marker
// searched for; a cut tail is counted (truncated) and loses only the item it cuts.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "feed/capture.h"

namespace tw::feed {

inline constexpr std::string_view kRecorderMagic = "TWCAPT01";
inline constexpr std::size_t kRecorderHeaderSize = 16;
inline constexpr std::size_t kRecorderItemSize = 36;  // Without about and data.
inline constexpr std::size_t kListingMax = 8u << 20;

std::unique_ptr<CaptureReader> MakeRecorderReader(CaptureHandler* handler);

// Bytes of the format, appended to a buffer; whoever owns the file writes them. One thread.
class CaptureWriter {
 public:
  // The file's header; once, first.
  static void Begin(std::vector<std::uint8_t>* out);
  static void Opening(const CaptureOpening& opening, std::vector<std::uint8_t>* out);
  static void Frame(const CaptureFrame& frame, std::vector<std::uint8_t>* out);
  static void Listing(std::string_view text, std::vector<std::uint8_t>* out);
};

// Writes a capture file: frames are buffered and written at 256 KB or on Flush. A disk that refuses is remembered and stops the
// recording, never the feed.
class CaptureFile {
 public:
  // Null: *error says what. An existing file is continued (its cut tail is stepped over by readers).
  static std::unique_ptr<CaptureFile> Open(const std::string& path, std::string* error);
  ~CaptureFile();
  CaptureFile(const CaptureFile&) = delete;
  CaptureFile& operator=(const CaptureFile&) = delete;

  void Opening(const CaptureOpening& opening);
  void Frame(const CaptureFrame& frame);
  void Listing(std::string_view text);
  void Flush();
  std::uint64_t frames() const { return frames_; }
  std::uint64_t bytes() const { return bytes_; }
  const std::string& error() const { return error_; }  // Empty: all well.

 private:
  explicit CaptureFile(int fd) : fd_(fd) {}
  int fd_;
  std::vector<std::uint8_t> buffer_;
  std::uint64_t frames_ = 0;
  std::uint64_t bytes_ = 0;
  std::string error_;
};

}  // namespace tw::feed
