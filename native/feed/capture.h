// Captures: recordings of a feed's raw frames, in the formats that exist. A reader turns chunks of bytes, cut anywhere, into
// frames and session openings. Formats: docs in capture_lines.cc and capture_recorder.h.
//
// Threads:    one. Any bytes: counted under a Reason, never thrown; what follows a damaged stretch is read.
// Memory:     one unfinished line or frame, at most kSourceLineMax.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "feed/record_source.h"
#include "feed/venue_feed.h"
#include "model/reason.h"

namespace tw::feed {

enum class CaptureFormat : std::uint8_t {
  kUnknown = 0,
  kRecorder = 1,    // Our own: frames with CRC, session openings.
  kTimedLines = 2,  // `localNanoseconds SPACE json`.
  kCryptofeed = 3,  // `.ws` and `.http` files of cryptofeed.
  kNdjson = 4,      // One message per line, no times.
  kFrame = 5,       // One binary frame per file, no times.
};
// "recorder", "lines", "cryptofeed", "ndjson", "frame"; kUnknown for any other name.
CaptureFormat CaptureFormatOf(std::string_view name);
const char* CaptureFormatName(CaptureFormat format);
// From the first bytes of the (unzipped) file; a few hundred are enough. kUnknown: text that is none of these (CSV, DBN).
CaptureFormat DetectCapture(std::span<const std::uint8_t> first_bytes);
// False: frames carry ts_recv 0.
constexpr bool HasReceiveTimes(CaptureFormat format) {
  return format == CaptureFormat::kRecorder || format == CaptureFormat::kTimedLines || format == CaptureFormat::kCryptofeed;
}

struct CaptureFrame {
  std::uint64_t ts_recv = 0;  // 0: not told.
  FrameKind kind = FrameKind::kText;
  std::string_view about;  // URL of a REST answer, or empty.
  std::span<const std::uint8_t> bytes;
};

struct CaptureOpening {
  std::uint64_t ts_recv = 0;
  std::uint32_t epoch = 0;
  std::uint16_t shard = 0;
  std::uint8_t source = 0;
  std::uint8_t exchange = 0;
  std::string_view venue;  // As MakeVenueFeed names it; empty when the capture does not say.
};

class CaptureHandler {
 public:
  virtual ~CaptureHandler() = default;
  virtual void OnOpening(const CaptureOpening& opening) = 0;
  virtual void OnFrame(const CaptureFrame& frame) = 0;
  virtual void OnSkipped(Reason reason) = 0;
  // Instruments as they were listed before what follows: text that the recording side understands.
  virtual void OnListing(std::string_view) {}
};

class CaptureReader {
 public:
  virtual ~CaptureReader() = default;
  // The next bytes; `last`: the file ends with them. Views given to the handler are valid during its call.
  virtual void Feed(std::span<const std::uint8_t> chunk, bool last) = 0;
};
// Null: kUnknown.
std::unique_ptr<CaptureReader> MakeCaptureReader(CaptureFormat format, CaptureHandler* handler);

// Times outside [1990, 2100) are damage.
inline constexpr std::uint64_t kTimeMin = 631'152'000ull * 1'000'000'000;
inline constexpr std::uint64_t kTimeMax = 4'102'444'800ull * 1'000'000'000;
constexpr bool PlausibleTime(std::uint64_t ns) { return ns >= kTimeMin && ns < kTimeMax; }
// "1633998512.0633569" → 1633998512063356900. False: not such a number, or outside the plausible times.
bool ParseUnixSeconds(std::string_view text, std::uint64_t* ns);

}  // namespace tw::feed
