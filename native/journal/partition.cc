#include "journal/partition.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "journal/recovery.h"

namespace tw::journal {
namespace {

constexpr std::uint32_t kAttachLockMs = 5'000;  // Somebody may be recovering a large partition.

void Pause() {
  const timespec pause{.tv_sec = 0, .tv_nsec = 100'000};
  ::nanosleep(&pause, nullptr);
}

bool LastPublicationWhole(const PartitionPage& page) {
  const std::uint64_t position = page.end_position.load(std::memory_order_acquire);
  const std::uint64_t offset = page.end_offset.load(std::memory_order_acquire);
  return page.pending_check.load(std::memory_order_acquire) == PendingCheck(position, offset);
}

// Whether the page's end can be one of these segments' at all.
bool EndInside(const PartitionPage& page, const std::vector<Partition::Entry>& entries) {
  const std::uint64_t position = page.end_position.load(std::memory_order_acquire);
  if (entries.empty()) return true;
  const Partition::Entry& last = entries.back();
  return page.begin_offset.load(std::memory_order_acquire) == entries.front().identity.base_offset && last.header_ok && position >= last.identity.start_position + kSegmentHeaderBytes && position <= last.end_position() &&
         position % 8 == 0 && page.end_offset.load(std::memory_order_acquire) >= last.identity.base_offset &&
         position - last.identity.start_position <= last.file_bytes;
}

}  // namespace

Readable ReadableOf(const Segment& segment, std::uint64_t end_position) {
  Readable readable;
  if (end_position >= segment.end_position()) {
    readable.closed = true;
    readable.sealed = segment.GetSeal(&readable.seal);
    readable.limit = readable.sealed ? std::min(readable.seal.end, segment.size()) : segment.size();
  } else if (end_position > segment.start_position()) {
    readable.limit = std::min(end_position - segment.start_position(), segment.size());
  }
  readable.limit &= ~7ull;
  return readable;
}

Status Partition::Open(Context context, std::shared_ptr<Partition>* out) {
  std::shared_ptr<Partition> partition(new Partition(std::move(context)));
  const Status status = partition->Attach();
  if (status == Status::kOk) *out = std::move(partition);
  return status;
}

Status Partition::Attach() {
  if (!context_.read_only) {
    const Status made = MakeDirectory(context_.directory);
    if (made != Status::kOk) return made;
  }
  const Status opened = SharedPage::Open(context_.directory + "/page", context_.log_id, context_.read_only, &page_);
  if (opened != Status::kOk) return opened;
  const auto good = [&] { return page_->Trusted() && LastPublicationWhole(**page_) && EndInside(**page_, Reload(false)); };
  if (good()) return Status::kOk;
  if (context_.read_only) {
    // A live log's writer may be between two stores; only what stays wrong is wrong.
    for (int i = 0; i < 20 && !page_->is_private(); ++i) {
      Pause();
      if (good()) return Status::kOk;
    }
    page_->MakePrivate();
    return Recover(*this);
  }
  PartitionLock lock;
  const Status lock_opened = lock.Open(LockPath());
  if (lock_opened != Status::kOk) return lock_opened;
  PartitionLockGuard guard(lock, kAttachLockMs);
  if (guard.status() != Status::kOk) return guard.status();
  if (page_->Trusted()) {
    std::uint64_t position = 0;
    std::uint64_t offset = 0;
    Settle(**page_, &position, &offset);
    if (good()) return Status::kOk;
  }
  return Recover(*this);
}

std::vector<Partition::Entry> Partition::Scan(bool all) {
  const std::uint64_t end_position = (*page_)->end_position.load(std::memory_order_acquire);
  std::vector<Entry> found;
  DIR* directory = ::opendir(context_.directory.c_str());
  if (directory == nullptr) return found;
  while (const dirent* item = ::readdir(directory)) {
    Entry entry;
    if (!Segment::ParseFileName(item->d_name, &entry.identity.base_offset)) continue;
    entry.inode = item->d_ino;
    found.push_back(entry);
  }
  ::closedir(directory);
  std::sort(found.begin(), found.end(), [](const Entry& a, const Entry& b) { return a.identity.base_offset < b.identity.base_offset; });

  std::vector<Entry> entries;
  for (Entry& entry : found) {
    const auto known = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) {
      return e.inode == entry.inode && e.identity.base_offset == entry.identity.base_offset && e.header_ok;
    });
    if (known != entries_.end() && (known->file_bytes >= known->identity.span || (known->identity.flags & kSegmentCompacted) != 0)) {
      entry = *known;
    } else {
      const Fd fd(::open(PathOf(entry.identity.base_offset).c_str(), O_RDONLY | O_CLOEXEC));
      struct stat info{};
      if (!fd.ok() || ::fstat(fd.get(), &info) != 0) continue;  // Deleted since it was listed.
      entry.file_bytes = std::min<std::uint64_t>(static_cast<std::uint64_t>(info.st_size), kSegmentBytesMax);
      entry.inode = info.st_ino;
      alignas(8) std::uint8_t bytes[kSegmentStaticBytes];
      const bool whole = ::pread(fd.get(), bytes, sizeof bytes, 0) == static_cast<ssize_t>(sizeof bytes);
      bool foreign = false;
      entry.header_ok = whole && Segment::ReadIdentity(bytes, context_.log_id, &entry.identity, &foreign);
      if (foreign) continue;  // Another log's file: not ours to read, and not ours to delete.
    }
    entries.push_back(entry);
  }
  // A damaged header is made up for from the neighbours.
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Entry& entry = entries[i];
    if (entry.header_ok) continue;
    const std::uint64_t size = std::max<std::uint64_t>(entry.file_bytes, kSegmentHeaderBytes);
    const bool next_ok = i + 1 < entries.size() && entries[i + 1].header_ok;
    const std::uint64_t next_start = next_ok ? entries[i + 1].identity.start_position : 0;
    entry.identity.log_id = context_.log_id;
    entry.identity.start_position = i > 0 ? entries[i - 1].end_position() : (next_start > size ? next_start - size : 0);
    entry.identity.span = next_start > entry.identity.start_position ? next_start - entry.identity.start_position : size;
    if (entry.identity.span < kSegmentHeaderBytes) entry.identity.span = kSegmentHeaderBytes;
  }
  // What a compaction replaced and did not come to delete lies inside its output's span; what a dead writer began lies
  // beyond the published end.
  std::vector<Entry> live;
  for (Entry& entry : entries) {
    if (!live.empty() && entry.identity.start_position < live.back().end_position()) continue;
    if (!all && entry.identity.start_position >= end_position) continue;
    live.push_back(std::move(entry));
  }
  return live;
}

std::vector<Partition::Entry> Partition::Reload(bool all) {
  const std::lock_guard lock(mutex_);
  std::uint64_t structure = 0;
  std::vector<Entry> entries;
  for (int attempt = 0; attempt < 100; ++attempt) {
    structure = (*page_)->structure.load(std::memory_order_acquire);
    entries = Scan(all);
    // Odd: a swap is under way (or its writer died in it, which the attempts bound).
    if (structure % 2 == 0 && structure == (*page_)->structure.load(std::memory_order_acquire)) break;
    Pause();
  }
  if (!all) {
    entries_ = entries;
    structure_ = structure;
  }
  return entries;
}

std::vector<Partition::Entry> Partition::List() {
  {
    const std::lock_guard lock(mutex_);
    if (structure_ == (*page_)->structure.load(std::memory_order_acquire)) return entries_;
  }
  return Reload(false);
}

std::shared_ptr<Segment> Partition::Map(const Entry& wanted, Status* status) {
  *status = Status::kOk;
  const std::lock_guard lock(mutex_);
  const auto known = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) {
    return e.inode == wanted.inode && e.identity.base_offset == wanted.identity.base_offset;
  });
  if (known != entries_.end()) {
    if (auto mapped = known->segment.lock()) return mapped;
  }
  std::shared_ptr<Segment> segment;
  const Status opened = Segment::Open(PathOf(wanted.identity.base_offset), wanted.identity.base_offset, context_.log_id,
                                      !context_.read_only, &segment);
  if (segment == nullptr) {
    *status = opened;
    return nullptr;
  }
  if (!segment->header_ok()) segment->Adopt(wanted.identity);
  // Swapped between the listing and now: its output stands under the same name.
  if (segment->start_position() != wanted.identity.start_position || segment->span() != wanted.identity.span) {
    *status = Status::kNotFound;
    structure_ = ~0ull;
    return nullptr;
  }
  if (known != entries_.end()) known->segment = segment;
  return segment;
}

std::shared_ptr<Segment> Partition::AtPosition(std::uint64_t position, Status* status) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    const std::vector<Entry> entries = attempt == 0 ? List() : Reload(false);
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
      if (position <= entry->identity.start_position || position > entry->end_position()) continue;
      if (auto segment = Map(*entry, status)) return segment;
      if (*status != Status::kNotFound) return nullptr;
    }
  }
  *status = Status::kNotFound;
  return nullptr;
}

void Partition::Remember(const std::shared_ptr<Segment>& segment) {
  Reload(false);
  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.identity.start_position == segment->start_position() && entry.identity.base_offset == segment->base_offset()) entry.segment = segment;
  }
}

void Partition::End(std::uint64_t* position, std::uint64_t* offset) const {
  const PartitionPage& page = **page_;
  for (int attempt = 0; attempt < 10'000; ++attempt) {
    *offset = page.end_offset.load(std::memory_order_acquire);
    *position = page.end_position.load(std::memory_order_acquire);
    if (page.pending_check.load(std::memory_order_acquire) == PendingCheck(*position, *offset)) return;
  }
}

void Partition::MarkDirty(const std::shared_ptr<Segment>& segment) {
  const std::lock_guard lock(dirty_mutex_);
  // From the back: the active segment is the last one marked.
  const auto known = std::find_if(dirty_.rbegin(), dirty_.rend(), [&](const Dirty& d) { return d.start_position == segment->start_position(); });
  if (known == dirty_.rend()) dirty_.push_back({segment->path(), segment->start_position(), segment->end_position(), segment});
}

Status Partition::SyncDirty() {
  const std::lock_guard turn(sync_mutex_);
  const std::uint64_t position = (*page_)->end_position.load(std::memory_order_acquire);
  std::vector<Dirty> dirty;
  std::uint64_t from = 0;
  {
    const std::lock_guard lock(dirty_mutex_);
    dirty.swap(dirty_);
    from = synced_to_;
  }
  if (dirty.empty()) return Status::kOk;
  Status status = Status::kOk;
  for (const Dirty& item : dirty) {
    const bool fresh = from <= item.start_position;
    Status synced = Status::kOk;
    if (const auto segment = item.segment.lock()) {
      // The seal stands in the first page, so a closed segment is synced whole.
      const bool active = position < item.end_position;
      synced = segment->Sync(active && !fresh ? from - item.start_position : 0);
    } else {
      const Fd fd(::open(item.path.c_str(), O_RDONLY | O_CLOEXEC));
      if (fd.ok() ? ::fdatasync(fd.get()) != 0 : errno != ENOENT) synced = StatusOfErrno(errno);
    }
    if (synced != Status::kOk) status = synced;
    if (fresh && SyncDirectory(context_.directory) != Status::kOk) status = Status::kIoError;
  }
  const std::lock_guard lock(dirty_mutex_);
  if (status != Status::kOk) {
    dirty_.insert(dirty_.end(), dirty.begin(), dirty.end());
    return status;
  }
  synced_to_ = std::max(synced_to_, position);
  std::uint64_t known = (*page_)->synced_position.load(std::memory_order_relaxed);
  while (known < position && !(*page_)->synced_position.compare_exchange_weak(known, position, std::memory_order_relaxed)) {
  }
  return Status::kOk;
}

}  // namespace tw::journal
