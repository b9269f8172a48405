#include "journal/segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "journal/index.h"
#include "wire/crc32c.h"

namespace tw::journal {
namespace {

std::uint64_t Load(const std::uint64_t& field) { return std::atomic_ref<std::uint64_t>(const_cast<std::uint64_t&>(field)).load(std::memory_order_acquire); }
void Store(std::uint64_t& field, std::uint64_t value) { std::atomic_ref<std::uint64_t>(field).store(value, std::memory_order_release); }

}  // namespace

Segment::Segment() : index_(std::make_unique<SegmentIndex>()) {}

Segment::~Segment() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

std::string Segment::FileName(std::uint64_t base_offset) {
  char name[32];
  std::snprintf(name, sizeof name, "%020llu.seg", static_cast<unsigned long long>(base_offset));
  return name;
}

bool Segment::ParseFileName(const std::string& name, std::uint64_t* base_offset) {
  if (name.size() != 24 || name.compare(20, 4, ".seg") != 0) return false;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    if (name[i] < '0' || name[i] > '9') return false;
    const auto digit = static_cast<std::uint64_t>(name[i] - '0');
    if (value > (~0ull - digit) / 10) return false;
    value = value * 10 + digit;
  }
  *base_offset = value;
  return true;
}

Status Segment::Create(const std::string& path, const Identity& identity, std::uint64_t file_bytes, std::shared_ptr<Segment>* out) {
  std::shared_ptr<Segment> segment(new Segment);
  segment->path_ = path;
  const std::string temporary = path + ".new";
  ::unlink(temporary.c_str());  // Only the holder of the lock makes segments: what lies there is a dead one's.
  const Fd fd(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd.ok()) return StatusOfErrno(errno);
  segment->temporary_ = temporary;
  const Status allocated = Preallocate(fd.get(), file_bytes);
  if (allocated != Status::kOk) return allocated;
  segment->identity_ = identity;
  // Through the file: a first touch through the mapping would read ahead, zeroing pages that are about to be filled.
  const SegmentHeader header = segment->MakeHeader();
  if (::pwrite(fd.get(), &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header)) return StatusOfErrno(errno);
  if (!Mapping::MapFile(fd.get(), file_bytes, true, &segment->mapping_)) return StatusOfErrno(errno);
  segment->header_ok_ = true;
  *out = std::move(segment);
  return Status::kOk;
}

Status Segment::Commit() {
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return StatusOfErrno(errno);
  temporary_.clear();
  return Status::kOk;
}

Status Segment::Open(const std::string& path, std::uint64_t base_offset, const LogId& log_id, bool writable, std::shared_ptr<Segment>* out) {
  std::shared_ptr<Segment> segment(new Segment);
  segment->path_ = path;
  const Fd fd(::open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC));
  if (!fd.ok()) return StatusOfErrno(errno);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return StatusOfErrno(errno);
  if (!S_ISREG(info.st_mode)) return Status::kInvalid;
  const auto size = std::min<std::uint64_t>(static_cast<std::uint64_t>(info.st_size), kSegmentBytesMax);
  if (size > 0 && !Mapping::MapFile(fd.get(), size, writable, &segment->mapping_)) return StatusOfErrno(errno);
  segment->identity_.base_offset = base_offset;
  bool foreign = false;
  segment->header_ok_ = size >= kSegmentHeaderBytes && ReadIdentity(segment->data(), log_id, &segment->identity_, &foreign);
  if (foreign) return Status::kInvalid;
  const bool ok = segment->header_ok_;
  *out = std::move(segment);
  return ok ? Status::kOk : Status::kInvalid;
}

bool Segment::ReadIdentity(const std::uint8_t* bytes, const LogId& log_id, Identity* identity, bool* foreign) {
  SegmentHeader header;
  std::memcpy(static_cast<void*>(&header), bytes, kSegmentStaticBytes);  // Not the seal: it may be in the making.
  const std::uint32_t crc = header.header_crc;
  header.header_crc = 0;
  if (header.magic != kSegmentMagic || header.version != kFormatVersion) return false;
  if (wire::Crc32c(&header, kSegmentStaticBytes) != crc) return false;
  if (header.base_offset != identity->base_offset || header.span < kSegmentHeaderBytes) return false;
  if (header.start_position > ~0ull - header.span || header.start_position % 8 != 0 || header.span % 8 != 0) return false;
  if (header.log_id != log_id) {
    *foreign = true;
    return false;
  }
  *identity = {header.log_id, header.base_offset, header.start_position, header.span, header.flags};
  return true;
}

SegmentHeader Segment::MakeHeader() const {
  SegmentHeader header{};
  header.magic = kSegmentMagic;
  header.version = kFormatVersion;
  header.log_id = identity_.log_id;
  header.base_offset = identity_.base_offset;
  header.start_position = identity_.start_position;
  header.span = identity_.span;
  header.flags = identity_.flags;
  header.header_crc = wire::Crc32c(&header, kSegmentStaticBytes);
  return header;
}

Status Segment::Repair(std::uint64_t file_bytes) {
  if (size() < file_bytes) {
    const Fd fd(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd.ok()) return StatusOfErrno(errno);
    const Status allocated = Preallocate(fd.get(), file_bytes);
    if (allocated != Status::kOk) return allocated;
    if (!Mapping::MapFile(fd.get(), file_bytes, true, &mapping_)) return StatusOfErrno(errno);
  }
  if (!header_ok_) {
    const SegmentHeader header = MakeHeader();
    std::memcpy(data(), &header, sizeof header);
    header_ok_ = true;
  }
  return Status::kOk;
}

bool Segment::GetSeal(Seal* out) const {
  if (size() < kSegmentHeaderBytes) return false;
  const auto& header = *reinterpret_cast<const SegmentHeader*>(data());
  Seal seal;
  const std::uint64_t check = Load(header.seal_check);
  seal.end = Load(header.seal_end);
  seal.next_offset = Load(header.seal_next_offset);
  seal.ts_recv_max = Load(header.seal_ts_recv_max);
  seal.position_max = Load(header.seal_position_max);
  seal.ts_recv_min = Load(header.seal_ts_recv_min);
  if (check != SealCheck(seal.end, seal.next_offset, seal.ts_recv_max, seal.position_max, seal.ts_recv_min)) return false;
  if (seal.end < kSegmentHeaderBytes || seal.next_offset < base_offset()) return false;
  *out = seal;
  return true;
}

void Segment::SetSeal(const Seal& seal) {
  auto& header = *reinterpret_cast<SegmentHeader*>(data());
  Store(header.seal_end, seal.end);
  Store(header.seal_next_offset, seal.next_offset);
  Store(header.seal_ts_recv_max, seal.ts_recv_max);
  Store(header.seal_position_max, seal.position_max);
  Store(header.seal_ts_recv_min, seal.ts_recv_min);
  Store(header.seal_check, SealCheck(seal.end, seal.next_offset, seal.ts_recv_max, seal.position_max, seal.ts_recv_min));
}

void Segment::ClearSeal() {
  auto& header = *reinterpret_cast<SegmentHeader*>(data());
  if (Load(header.seal_check) != 0) Store(header.seal_check, 0);
}

void Segment::ExpectFastWrites(bool fast) const {
  ::madvise(data(), size(), fast ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);  // A hint: refused, it costs nothing.
}

Status Segment::Sync(std::uint64_t from) const {
  // msync reaches the file as fdatasync does, without a descriptor per segment.
  from &= ~std::uint64_t{kPageBytes - 1};
  if (from >= size()) return Status::kOk;
  return ::msync(data() + from, size() - from, MS_SYNC) == 0 ? Status::kOk : StatusOfErrno(errno);
}

}  // namespace tw::journal
