#include "journal/page.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "wire/crc32c.h"

namespace tw::journal {
namespace {

constexpr std::size_t kStaticBytes = offsetof(PartitionPage, end_position);

std::uint32_t StaticCrc(const PartitionPage& page) {
  std::uint8_t bytes[kStaticBytes];
  std::memcpy(bytes, static_cast<const void*>(&page), sizeof bytes);
  std::memset(bytes + offsetof(PartitionPage, static_crc), 0, 4);
  return wire::Crc32c(bytes, sizeof bytes);
}

}  // namespace

std::uint64_t BootId() {
  static const std::uint64_t kBoot = [] {
    std::string text;
    if (!ReadWholeFile("/proc/sys/kernel/random/boot_id", 128, &text)) text = "no boot id";
    std::uint64_t hash = 0;
    for (const char c : text) hash = Mix(hash ^ static_cast<std::uint8_t>(c));
    return hash;
  }();
  return kBoot;
}

Status SharedPage::Open(const std::string& path, const LogId& log_id, bool read_only, std::unique_ptr<SharedPage>* out) {
  auto page = std::make_unique<SharedPage>();
  page->log_id_ = log_id;
  Fd fd(::open(path.c_str(), read_only ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  struct stat info{};
  if (fd.ok() && ::fstat(fd.get(), &info) != 0) return StatusOfErrno(errno);
  if (!fd.ok() && !(read_only && errno == ENOENT)) return StatusOfErrno(errno);
  if (!fd.ok() || (read_only && static_cast<std::size_t>(info.st_size) < kPageBytes)) {
    page->MakePrivate();
  } else {
    // Bytes that are there stay: another process may be using them.
    if (!read_only) {
      const Status allocated = Preallocate(fd.get(), kPageBytes);
      if (allocated != Status::kOk) return allocated;
    }
    if (!Mapping::MapFile(fd.get(), kPageBytes, !read_only, &page->mapping_)) return StatusOfErrno(errno);
    page->page_ = reinterpret_cast<PartitionPage*>(page->mapping_.data());
    page->inode_ = static_cast<std::uint64_t>(info.st_ino);
    page->device_ = static_cast<std::uint64_t>(info.st_dev);
  }
  *out = std::move(page);
  return Status::kOk;
}

void SharedPage::MakePrivate() {
  Mapping fresh;
  if (!Mapping::MapAnonymous(kPageBytes, &fresh)) return;
  if (page_ != nullptr) std::memcpy(fresh.data(), static_cast<const void*>(page_), kPageBytes);
  mapping_ = std::move(fresh);
  page_ = reinterpret_cast<PartitionPage*>(mapping_.data());
  private_ = true;
}

bool SharedPage::Same() const {
  return page_->magic == kPageMagic && page_->version == kFormatVersion && page_->log_id == log_id_ &&
         page_->static_crc == StaticCrc(*page_);
}

bool SharedPage::Plausible() const {
  if (!Same()) return false;
  const std::uint64_t position = page_->pending_position.load(std::memory_order_acquire);
  const std::uint64_t offset = page_->pending_offset.load(std::memory_order_acquire);
  return page_->pending_check.load(std::memory_order_acquire) == PendingCheck(position, offset) &&
         page_->end_position.load(std::memory_order_acquire) == position;
}

bool SharedPage::Trusted() const {
  return Same() && page_->boot == BootId() && page_->inode == inode_ && page_->device == device_;
}

void SharedPage::Stamp() {
  page_->magic = kPageMagic;
  page_->version = kFormatVersion;
  page_->log_id = log_id_;
  page_->boot = BootId();
  page_->inode = inode_;
  page_->device = device_;
  page_->reserved = 0;
  page_->static_crc = StaticCrc(*page_);
}

void Publish(PartitionPage& page, std::uint64_t position, std::uint64_t offset) {
  page.pending_position.store(position, std::memory_order_relaxed);
  page.pending_offset.store(offset, std::memory_order_relaxed);
  page.pending_check.store(PendingCheck(position, offset), std::memory_order_relaxed);
  page.end_position.store(position, std::memory_order_release);
  page.end_offset.store(offset, std::memory_order_release);
}

void Settle(PartitionPage& page, std::uint64_t* position, std::uint64_t* offset) {
  *position = page.end_position.load(std::memory_order_acquire);
  *offset = page.end_offset.load(std::memory_order_acquire);
  if (page.pending_position.load(std::memory_order_relaxed) != *position) return;
  const std::uint64_t pending = page.pending_offset.load(std::memory_order_relaxed);
  if (pending == *offset || page.pending_check.load(std::memory_order_relaxed) != PendingCheck(*position, pending)) return;
  *offset = pending;
  page.end_offset.store(pending, std::memory_order_release);
}

}  // namespace tw::journal
