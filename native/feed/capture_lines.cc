// Captures that are text, one message per line:
//   lines       1723161253937085768 {"stream":…}                     local ns, SPACE, payload
//   cryptofeed  wss://host/path <-> 1633998511.13                    connection opened; a second one is a reconnect
//               wss://host/path <- 1633998511.13: {…}                sent by the client; skipped
//               1633998512.0633569: {…}                              received
//               https://host/path?symbol=X -> 1633998512.32: {…}     REST answer
//               configuration: {…}                                   skipped
//   ndjson      {…}                                                  payload alone
// A payload that begins with "lastUpdateId" is the body of a REST book, whoever wrote the line.
#include <algorithm>

#include "feed/capture.h"
#include "feed/capture_recorder.h"
#include "feed/line_splitter.h"

namespace tw::feed {
namespace {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool ParseNanoseconds(std::string_view text, std::uint64_t* ns) {
  if (text.empty() || text.size() > 19 || !std::all_of(text.begin(), text.end(), IsDigit)) return false;
  std::uint64_t value = 0;
  for (const char c : text) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  *ns = value;
  return PlausibleTime(value);
}

std::span<const std::uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

FrameKind KindOf(std::string_view payload) {
  const std::size_t brace = payload.find_first_not_of(" \t");
  if (brace == std::string_view::npos || payload[brace] != '{') return FrameKind::kText;
  const std::size_t key = payload.find_first_not_of(" \t", brace + 1);
  return key != std::string_view::npos && payload.substr(key).starts_with("\"lastUpdateId\"") ? FrameKind::kRest
                                                                                              : FrameKind::kText;
}

class LineReader : public CaptureReader {
 public:
  explicit LineReader(CaptureHandler* handler) : handler_(handler), lines_(kSourceLineMax) {}
  void Feed(std::span<const std::uint8_t> chunk, bool last) override {
    lines_.Feed(
        chunk, last,
        [this](std::string_view line) {
          if (!line.empty()) OnLine(line);
        },
        [this] { handler_->OnSkipped(Reason::kBadLength); });
  }

 protected:
  virtual void OnLine(std::string_view line) = 0;
  CaptureHandler* handler_;

 private:
  LineSplitter lines_;
};

class TimedLines : public LineReader {
 public:
  using LineReader::LineReader;

 protected:
  void OnLine(std::string_view line) override {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return handler_->OnSkipped(Reason::kTruncated);
    std::uint64_t ts_recv = 0;
    if (!ParseNanoseconds(line.substr(0, space), &ts_recv)) return handler_->OnSkipped(Reason::kBadTime);
    const std::string_view payload = line.substr(space + 1);
    handler_->OnFrame({ts_recv, KindOf(payload), {}, Bytes(payload)});
  }
};

class Ndjson : public LineReader {
 public:
  using LineReader::LineReader;

 protected:
  void OnLine(std::string_view line) override { handler_->OnFrame({0, KindOf(line), {}, Bytes(line)}); }
};

class Cryptofeed : public LineReader {
 public:
  using LineReader::LineReader;

 protected:
  void OnLine(std::string_view line) override {
    if (IsDigit(line[0])) return OnMessage(line, {}, FrameKind::kText);
    if (line.starts_with("configuration:")) return handler_->OnSkipped(Reason::kFiltered);
    // A URL holds no space, so the arrow is the second word.
    const std::size_t space = line.find(' ');
    const std::string_view url = line.substr(0, space);
    const std::string_view rest = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
    if (rest.starts_with("<-> ")) return OnConnected(rest.substr(4));
    if (rest.starts_with("<- ")) return handler_->OnSkipped(Reason::kFiltered);
    if (rest.starts_with("-> ")) return OnMessage(rest.substr(3), url, FrameKind::kRest);
    handler_->OnSkipped(Reason::kUnknownType);
  }

 private:
  void OnMessage(std::string_view text, std::string_view about, FrameKind kind) {
    const std::size_t colon = text.find(": ");
    if (colon == std::string_view::npos) return handler_->OnSkipped(Reason::kTruncated);
    std::uint64_t ts_recv = 0;
    if (!ParseUnixSeconds(text.substr(0, colon), &ts_recv)) return handler_->OnSkipped(Reason::kBadTime);
    handler_->OnFrame({ts_recv, kind, about, Bytes(text.substr(colon + 2))});
  }
  void OnConnected(std::string_view time) {
    std::uint64_t ts_recv = 0;
    if (!ParseUnixSeconds(time, &ts_recv)) return handler_->OnSkipped(Reason::kBadTime);
    if (connected_) {
      handler_->OnOpening({.ts_recv = ts_recv, .epoch = static_cast<std::uint32_t>(ts_recv / 1'000'000'000), .venue = {}});
    }
    connected_ = true;
  }
  bool connected_ = false;
};

class SingleFrame : public CaptureReader {
 public:
  explicit SingleFrame(CaptureHandler* handler) : handler_(handler) {}
  void Feed(std::span<const std::uint8_t> chunk, bool last) override {
    if (bytes_.size() + chunk.size() > kSourceLineMax) {
      if (!too_long_) handler_->OnSkipped(Reason::kBadLength);
      too_long_ = true;
    }
    if (!too_long_) bytes_.insert(bytes_.end(), chunk.begin(), chunk.end());
    if (!last) return;
    if (!too_long_ && !bytes_.empty()) handler_->OnFrame({0, FrameKind::kBinary, {}, bytes_});
    bytes_.clear();
    too_long_ = false;
  }

 private:
  CaptureHandler* handler_;
  std::vector<std::uint8_t> bytes_;
  bool too_long_ = false;
};

constexpr struct {
  CaptureFormat format;
  const char* name;
} kNames[] = {{CaptureFormat::kRecorder, "recorder"},
              {CaptureFormat::kTimedLines, "lines"},
              {CaptureFormat::kCryptofeed, "cryptofeed"},
              {CaptureFormat::kNdjson, "ndjson"},
              {CaptureFormat::kFrame, "frame"}};

}  // namespace

bool ParseUnixSeconds(std::string_view text, std::uint64_t* ns) {
  const std::size_t point = text.find('.');
  const std::string_view seconds = text.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (seconds.empty() || seconds.size() > 10 || !std::all_of(seconds.begin(), seconds.end(), IsDigit)) return false;
  if (!std::all_of(fraction.begin(), fraction.end(), IsDigit)) return false;
  std::uint64_t value = 0;
  for (const char c : seconds) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  for (std::size_t i = 0; i < 9; ++i)
    value = value * 10 + (i < fraction.size() ? static_cast<std::uint64_t>(fraction[i] - '0') : 0);
  *ns = value;
  return PlausibleTime(value);
}

CaptureFormat CaptureFormatOf(std::string_view name) {
  for (const auto& entry : kNames) {
    if (entry.name == name) return entry.format;
  }
  return CaptureFormat::kUnknown;
}

const char* CaptureFormatName(CaptureFormat format) {
  for (const auto& entry : kNames) {
    if (entry.format == format) return entry.name;
  }
  return "unknown";
}

CaptureFormat DetectCapture(std::span<const std::uint8_t> first_bytes) {
  std::string_view text(reinterpret_cast<const char*>(first_bytes.data()), std::min<std::size_t>(first_bytes.size(), 512));
  if (text.starts_with(kRecorderMagic)) return CaptureFormat::kRecorder;
  if (text.starts_with("DBN")) return CaptureFormat::kUnknown;
  const bool binary = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t';
  });
  if (binary) return CaptureFormat::kFrame;
  if (text.starts_with("ws://") || text.starts_with("wss://") || text.starts_with("http://") || text.starts_with("https://"))
    return CaptureFormat::kCryptofeed;
  const std::size_t word = text.find_first_not_of("0123456789");
  if (word != std::string_view::npos && word > 0) {
    if (word >= 18 && text[word] == ' ') return CaptureFormat::kTimedLines;
    const std::size_t colon = text.find(": ");
    std::uint64_t ns = 0;
    if (colon != std::string_view::npos && ParseUnixSeconds(text.substr(0, colon), &ns)) return CaptureFormat::kCryptofeed;
  }
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && (text[first] == '{' || text[first] == '[')) return CaptureFormat::kNdjson;
  return CaptureFormat::kUnknown;
}

std::unique_ptr<CaptureReader> MakeCaptureReader(CaptureFormat format, CaptureHandler* handler) {
  switch (format) {
    case CaptureFormat::kRecorder: return MakeRecorderReader(handler);
    case CaptureFormat::kTimedLines: return std::make_unique<TimedLines>(handler);
    case CaptureFormat::kCryptofeed: return std::make_unique<Cryptofeed>(handler);
    case CaptureFormat::kNdjson: return std::make_unique<Ndjson>(handler);
    case CaptureFormat::kFrame: return std::make_unique<SingleFrame>(handler);
    case CaptureFormat::kUnknown: return nullptr;
  }
  return nullptr;
}

}  // namespace tw::feed
