#include "journal/group_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace tw::journal {
namespace {

using page::Page;

std::uint64_t HashText(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ull;
  return hash;
}

std::string ReadSmallFile(const char* path) {
  std::string text;
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char buffer[1024];
  const ssize_t n = ::read(fd, buffer, sizeof buffer);
  if (n > 0) text.assign(buffer, static_cast<std::size_t>(n));
  ::close(fd);
  return text;
}

// The open file description's lock, for at most five seconds: its holders do microseconds of work.
bool LockFile(int fd) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  while (::fcntl(fd, F_OFD_SETLK, &lock) != 0) {
    if ((errno != EAGAIN && errno != EACCES && errno != EINTR) || std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return true;
}

void UnlockFile(int fd) {
  struct flock lock = {};
  lock.l_type = F_UNLCK;
  lock.l_whence = SEEK_SET;
  ::fcntl(fd, F_OFD_SETLK, &lock);
}

std::string ErrnoText(const std::string& what) { return what + ": " + std::strerror(errno); }

// After a reboot pids and start times begin again, so yesterday's members could look alive: all slots are freed.
void ForgetBeforeBoot(Page* page) {
  const std::uint64_t boot = HashText(ReadSmallFile("/proc/sys/kernel/random/boot_id"));
  if (page->header.boot.load() == boot) return;
  for (auto& member : page->members) member.identity.store(0);
  page->header.boot.store(boot);
}

}  // namespace

bool IsGroupName(std::string_view name) {
  if (name.empty() || name.size() > 200 || name[0] == '.') return false;
  for (const char c : name) {
    const bool fine =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!fine) return false;
  }
  return true;
}

std::unique_ptr<GroupFile> GroupFile::Open(const std::string& directory, std::string_view group, std::string_view log_id,
                                           bool create, std::string* error) {
  if (!IsGroupName(group)) {
    *error = "group name must match [A-Za-z0-9_-][A-Za-z0-9._-]{0,199}";
    return nullptr;
  }
  const std::string folder = directory + "/groups";
  const std::string path = folder + "/" + std::string(group) + ".group";
  if (create && ::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) {
    *error = ErrnoText(folder);
    return nullptr;
  }
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0666);
  if (fd < 0) {
    if (create || errno != ENOENT) *error = ErrnoText(path);
    return nullptr;
  }
  const auto fail = [&](const std::string& text) {
    *error = text;
    ::close(fd);
    return nullptr;
  };
  struct stat info = {};
  if (create) {
    if (!LockFile(fd)) return fail(path + ": its lock was not had within 5 s");
    // A store into a hole of a full disk is SIGBUS, so the whole page is allocated before it is mapped.
    if (const int full = ::posix_fallocate(fd, 0, sizeof(Page)); full != 0) return fail(path + ": " + std::strerror(full));
  }
  if (::fstat(fd, &info) != 0) return fail(ErrnoText(path));
  if (info.st_size < static_cast<off_t>(sizeof(Page))) return fail(path + ": shorter than a group page");
  void* mapped = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) return fail(ErrnoText(path));
  auto* page = static_cast<Page*>(mapped);
  if (create && page->header.magic.load() == 0) {
    page->header.version = page::kVersion;
    page->header.members_max = page::kMembersMax;
    page->header.topics_max = page::kTopicsMax;
    page->header.partitions_max = page::kPartitionsMax;
    std::snprintf(page->header.log_id, sizeof page->header.log_id, "%.*s", static_cast<int>(log_id.size()), log_id.data());
    page->header.magic.store(page::kMagic);
  }
  const bool known = page->header.magic.load() == page::kMagic && page->header.version == page::kVersion &&
                     page->header.members_max == page::kMembersMax && page->header.topics_max == page::kTopicsMax &&
                     page->header.partitions_max == page::kPartitionsMax;
  const std::string_view page_log(page->header.log_id, ::strnlen(page->header.log_id, sizeof page->header.log_id));
  if (!known || page_log != log_id.substr(0, sizeof page->header.log_id - 1)) {
    ::munmap(mapped, sizeof(Page));
    return fail(path + (known ? ": belongs to another log" : ": not a group page of this version"));
  }
  if (create) {
    ForgetBeforeBoot(page);
    UnlockFile(fd);
  }
  return std::unique_ptr<GroupFile>(new GroupFile(fd, page));
}

GroupFile::~GroupFile() {
  ::munmap(page_, sizeof(Page));
  ::close(fd_);
}

int GroupFile::FindTopic(std::string_view name) const {
  for (std::uint32_t i = 0; i < page::kTopicsMax; ++i) {
    const page::Topic& topic = page_->topics[i];
    if (topic.partitions.load(std::memory_order_acquire) == 0) continue;
    if (std::string_view(topic.name, ::strnlen(topic.name, page::kNameMax)) == name) return static_cast<int>(i);
  }
  return -1;
}

int GroupFile::EnsureTopic(std::string_view name, std::uint32_t partitions) {
  if (name.empty() || name.size() > page::kNameMax || partitions == 0 || partitions > page::kPartitionsMax) return -1;
  int index = FindTopic(name);
  if (index >= 0 && page_->topics[index].partitions.load() >= partitions) return index;
  if (!LockFile(fd_)) return -1;
  index = FindTopic(name);
  for (std::uint32_t i = 0; index < 0 && i < page::kTopicsMax; ++i) {
    page::Topic& topic = page_->topics[i];
    if (topic.partitions.load() != 0) continue;
    std::memset(topic.name, 0, sizeof topic.name);
    std::memcpy(topic.name, name.data(), name.size());
    index = static_cast<int>(i);
  }
  if (index >= 0 && page_->topics[index].partitions.load() < partitions) {
    page_->topics[index].partitions.store(partitions, std::memory_order_release);
  }
  UnlockFile(fd_);
  return index;
}

ProcessStart StartOfProcess(std::uint32_t pid) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%u/stat", pid);
  const std::string text = ReadSmallFile(path);
  // The command name may hold spaces and brackets; the fields after it start behind the last bracket.
  const std::size_t bracket = text.rfind(')');
  if (bracket == std::string::npos || bracket + 2 >= text.size()) return {};
  const char state = text[bracket + 2];
  if (state == 'Z' || state == 'X' || state == 'x') return {};
  const char* at = text.c_str() + bracket + 2;
  for (int field = 3; field < 22; ++field) {
    at = std::strchr(at, ' ');
    if (at == nullptr) return {};
    ++at;
  }
  return {true, std::strtoull(at, nullptr, 10)};
}

std::uint64_t PidNamespace() {
  struct stat info = {};
  return ::stat("/proc/self/ns/pid", &info) == 0 ? static_cast<std::uint64_t>(info.st_ino) : 0;
}

}  // namespace tw::journal
