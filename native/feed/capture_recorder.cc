#include "feed/capture_recorder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "wire/crc32c.h"

namespace tw::feed {
namespace {

constexpr std::uint32_t kMarker = 0x31465754;  // "TWF1".
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kPrefix = 12;  // Marker, length, CRC.
constexpr std::size_t kFixed = kRecorderItemSize - kPrefix;
constexpr std::uint8_t kOpening = 1, kFrame = 2, kListing = 3;
constexpr std::uint64_t kWasteFree = 64u << 20, kWasteFactor = 8;  // Bytes checked in vain.
constexpr std::size_t kFlushAt = 256u << 10;

template <class T>
T Load(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
template <class T>
void Put(std::vector<std::uint8_t>* out, T value) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
  out->insert(out->end(), bytes, bytes + sizeof value);
}

class RecorderReader : public CaptureReader {
 public:
  explicit RecorderReader(CaptureHandler* handler) : handler_(handler) {}

  void Feed(std::span<const std::uint8_t> chunk, bool last) override {
    if (rest_.empty()) {
      const std::size_t used = Read(chunk, last);
      position_ += used;
      rest_.assign(chunk.begin() + static_cast<std::ptrdiff_t>(used), chunk.end());
    } else {
      rest_.insert(rest_.end(), chunk.begin(), chunk.end());
      // Looking again before the item can be whole would cost the square of its size.
      if (rest_.size() >= needed_ || last) {
        const std::size_t used = Read(rest_, last);
        position_ += used;
        rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(used));
      }
    }
    if (last) {
      rest_.clear();
      begun_ = false;
      position_ = wasted_ = 0;
    }
  }

 private:
  // How much of the bytes was used; the rest is the beginning of an item.
  std::size_t Read(std::span<const std::uint8_t> bytes, bool last) {
    std::size_t at = 0;
    if (!begun_) {
      needed_ = kRecorderHeaderSize;
      if (bytes.size() < kRecorderHeaderSize) {
        if (last && !bytes.empty()) handler_->OnSkipped(Reason::kTruncated);
        return last ? bytes.size() : 0;
      }
      begun_ = true;
      const bool known = std::memcmp(bytes.data(), kRecorderMagic.data(), kRecorderMagic.size()) == 0 &&
                         Load<std::uint32_t>(bytes.data() + 8) == kVersion;
      if (known)
        at = kRecorderHeaderSize;
      else
        handler_->OnSkipped(Reason::kUnknownType);  // Items with their CRC are still believed.
    }
    while (at < bytes.size()) {
      const std::size_t left = bytes.size() - at;
      const std::uint8_t* item = bytes.data() + at;
      if (left < 4 ? std::memcmp(item, &kMarker, left) != 0 : Load<std::uint32_t>(item) != kMarker) {
        Damaged(Reason::kChecksum);
        at += NextMarker(bytes.subspan(at + 1)) + 1;
        continue;
      }
      needed_ = kRecorderItemSize;
      std::size_t whole = 0;
      if (left >= kPrefix) {
        const std::uint32_t length = Load<std::uint32_t>(item + 4);
        if (length < kFixed || length > kSourceLineMax) {
          Damaged(Reason::kChecksum);
          at += NextMarker(bytes.subspan(at + 1)) + 1;
          continue;
        }
        whole = kPrefix + length;
        needed_ = whole;
      }
      if (whole == 0 || left < whole) {
        if (!last) return at;
        // The end of the file, or a length that lies: what stands behind a later marker is still whole.
        Damaged(Reason::kTruncated);
        at += NextMarker(bytes.subspan(at + 1)) + 1;
        continue;
      }
      const std::uint32_t crc = wire::Crc32c(item + kPrefix, whole - kPrefix, wire::Crc32c(item + 4, 4));
      if (crc != Load<std::uint32_t>(item + 8) || !OnItem(item + kPrefix, whole - kPrefix)) {
        Damaged(Reason::kChecksum);
        // A file of nothing but false markers must not be checked once per marker: beyond a budget, the length is believed.
        wasted_ += whole;
        const bool believe = wasted_ > kWasteFree + kWasteFactor * (position_ + at);
        at += believe ? whole : NextMarker(bytes.subspan(at + 1)) + 1;
        continue;
      }
      damaged_ = false;
      at += whole;
    }
    return std::min(at, bytes.size());
  }

  // One damaged stretch counts once, however many false markers it holds.
  void Damaged(Reason reason) {
    if (!damaged_) handler_->OnSkipped(reason);
    damaged_ = true;
  }

  // Distance to the next thing that begins like a marker; all of it when there is none.
  static std::size_t NextMarker(std::span<const std::uint8_t> bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
      const auto* found = static_cast<const std::uint8_t*>(std::memchr(bytes.data() + at, 'T', bytes.size() - at));
      if (found == nullptr) return bytes.size();
      at = static_cast<std::size_t>(found - bytes.data());
      const std::size_t have = std::min<std::size_t>(4, bytes.size() - at);
      if (std::memcmp(found, &kMarker, have) == 0) return at;
      ++at;
    }
    return bytes.size();
  }

  bool OnItem(const std::uint8_t* item, std::size_t length) {
    const std::uint8_t type = item[0];
    const std::size_t about_length = Load<std::uint16_t>(item + 2);
    const std::size_t data_length = Load<std::uint32_t>(item + 20);
    if (kFixed + about_length + data_length != length) return false;
    const auto* about = reinterpret_cast<const char*>(item + kFixed);
    const std::uint64_t ts_recv = Load<std::uint64_t>(item + 8);
    if (ts_recv != 0 && !PlausibleTime(ts_recv)) {
      handler_->OnSkipped(Reason::kBadTime);
      return true;
    }
    if (type == kOpening) {
      handler_->OnOpening({.ts_recv = ts_recv,
                           .epoch = Load<std::uint32_t>(item + 4),
                           .shard = Load<std::uint16_t>(item + 16),
                           .source = item[1],
                           .exchange = item[18],
                           .venue = {about, about_length}});
    } else if (type == kFrame && item[1] >= 1 && item[1] <= 3) {
      handler_->OnFrame(
          {ts_recv, static_cast<FrameKind>(item[1]), {about, about_length}, {item + kFixed + about_length, data_length}});
    } else if (type == kListing) {
      handler_->OnListing({reinterpret_cast<const char*>(item + kFixed + about_length), data_length});
    } else {
      handler_->OnSkipped(Reason::kUnknownType);
    }
    return true;
  }

  CaptureHandler* handler_;
  std::vector<std::uint8_t> rest_;
  std::size_t needed_ = 0;
  std::uint64_t position_ = 0;  // Of the first byte that Read is given, in the file.
  std::uint64_t wasted_ = 0;
  bool begun_ = false;
  bool damaged_ = false;
};

void Item(std::uint8_t type, std::uint8_t kind, std::uint32_t epoch, std::uint64_t ts_recv, std::uint16_t shard,
          std::uint8_t exchange, std::string_view about, std::span<const std::uint8_t> data, std::vector<std::uint8_t>* out) {
  about = about.substr(0, 0xffff);
  const std::size_t start = out->size();
  Put(out, kMarker);
  Put(out, static_cast<std::uint32_t>(kFixed + about.size() + data.size()));
  Put(out, std::uint32_t{0});
  Put(out, type);
  Put(out, kind);
  Put(out, static_cast<std::uint16_t>(about.size()));
  Put(out, epoch);
  Put(out, ts_recv);
  Put(out, shard);
  Put(out, exchange);
  Put(out, std::uint8_t{0});
  Put(out, static_cast<std::uint32_t>(data.size()));
  out->insert(out->end(), about.begin(), about.end());
  out->insert(out->end(), data.begin(), data.end());
  const std::uint8_t* item = out->data() + start;
  const std::uint32_t crc = wire::Crc32c(item + kPrefix, out->size() - start - kPrefix, wire::Crc32c(item + 4, 4));
  std::memcpy(out->data() + start + 8, &crc, sizeof crc);
}

}  // namespace

std::unique_ptr<CaptureReader> MakeRecorderReader(CaptureHandler* handler) { return std::make_unique<RecorderReader>(handler); }

void CaptureWriter::Begin(std::vector<std::uint8_t>* out) {
  out->insert(out->end(), kRecorderMagic.begin(), kRecorderMagic.end());
  Put(out, kVersion);
  Put(out, std::uint32_t{0});
}

void CaptureWriter::Opening(const CaptureOpening& opening, std::vector<std::uint8_t>* out) {
  Item(kOpening, opening.source, opening.epoch, opening.ts_recv, opening.shard, opening.exchange, opening.venue, {}, out);
}

void CaptureWriter::Frame(const CaptureFrame& frame, std::vector<std::uint8_t>* out) {
  Item(kFrame, static_cast<std::uint8_t>(frame.kind), 0, frame.ts_recv, 0, 0, frame.about, frame.bytes, out);
}

void CaptureWriter::Listing(std::string_view text, std::vector<std::uint8_t>* out) {
  Item(kListing, 0, 0, 0, 0, 0, {}, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, out);
}

std::unique_ptr<CaptureFile> CaptureFile::Open(const std::string& path, std::string* error) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) {
    *error = path + ": " + std::strerror(errno);
    if (fd >= 0) ::close(fd);
    return nullptr;
  }
  char magic[8] = {};
  if (status.st_size != 0 && (::pread(fd, magic, sizeof magic, 0) != 8 || std::string_view(magic, 8) != kRecorderMagic)) {
    *error = path + ": exists and is no capture";
    ::close(fd);
    return nullptr;
  }
  std::unique_ptr<CaptureFile> file(new CaptureFile(fd));
  file->buffer_.reserve(kFlushAt * 2);
  if (status.st_size == 0) CaptureWriter::Begin(&file->buffer_);
  return file;
}

CaptureFile::~CaptureFile() {
  Flush();
  ::close(fd_);
}

void CaptureFile::Opening(const CaptureOpening& opening) {
  CaptureWriter::Opening(opening, &buffer_);
  Flush();  // An opening is on its way to the disk before the first frame of its session.
}

void CaptureFile::Frame(const CaptureFrame& frame) {
  if (!error_.empty()) return;
  CaptureWriter::Frame(frame, &buffer_);
  ++frames_;
  if (buffer_.size() >= kFlushAt) Flush();
}

void CaptureFile::Listing(std::string_view text) {
  if (!error_.empty() || text.size() > kListingMax) return;
  CaptureWriter::Listing(text, &buffer_);
  Flush();  // Like an opening: it is on its way to the disk before the frames that need it.
}

void CaptureFile::Flush() {
  std::size_t at = 0;
  while (error_.empty() && at < buffer_.size()) {
    const ssize_t written = ::write(fd_, buffer_.data() + at, buffer_.size() - at);
    if (written < 0) {
      if (errno == EINTR) continue;
      error_ = std::strerror(errno);
      break;
    }
    at += static_cast<std::size_t>(written);
    bytes_ += static_cast<std::uint64_t>(written);
  }
  buffer_.clear();
}

}  // namespace tw::feed
