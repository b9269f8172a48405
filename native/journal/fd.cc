#include "journal/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

namespace tw::journal {
namespace {

int PreallocateBySystem(int fd, std::uint64_t size) { return ::posix_fallocate(fd, 0, static_cast<off_t>(size)); }
std::atomic<PreallocateFunction> g_preallocate{&PreallocateBySystem};
std::atomic<std::uint64_t> g_temporary{0};

std::string TemporaryName(const std::string& path) {
  return path + "." + std::to_string(::getpid()) + "." + std::to_string(g_temporary.fetch_add(1)) + ".tmp";
}

Status WriteNew(const std::string& path, const std::string& text) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd.ok()) return StatusOfErrno(errno);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(fd.get(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return StatusOfErrno(errno);
    done += static_cast<std::size_t>(n);
  }
  return ::fsync(fd.get()) == 0 ? Status::kOk : StatusOfErrno(errno);
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Fd& Fd::operator=(Fd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

bool Mapping::MapFile(int fd, std::size_t size, bool writable, Mapping* out) {
  void* data = ::mmap(nullptr, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return false;
  Mapping mapping;
  mapping.data_ = static_cast<std::uint8_t*>(data);
  mapping.size_ = size;
  *out = std::move(mapping);
  return true;
}

bool Mapping::MapAnonymous(std::size_t size, Mapping* out) {
  void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return false;
  Mapping mapping;
  mapping.data_ = static_cast<std::uint8_t*>(data);
  mapping.size_ = size;
  *out = std::move(mapping);
  return true;
}

Status StatusOfErrno(int error) {
  switch (error) {
    case 0: return Status::kOk;
    case ENOSPC:
    case EDQUOT: return Status::kDiskFull;
    case ENOENT: return Status::kNotFound;
    default: return Status::kIoError;
  }
}

Status Preallocate(int fd, std::uint64_t size) { return StatusOfErrno(g_preallocate.load()(fd, size)); }

void SetPreallocateForTest(PreallocateFunction function) { g_preallocate.store(function == nullptr ? &PreallocateBySystem : function); }

bool ReadWholeFile(const std::string& path, std::size_t size_max, std::string* out) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return false;
  out->clear();
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    if (n == 0) return true;
    if (out->size() + static_cast<std::size_t>(n) > size_max) return false;
    out->append(buffer, static_cast<std::size_t>(n));
  }
}

Status ReplaceFile(const std::string& path, const std::string& text) {
  const std::string temporary = TemporaryName(path);
  Status status = WriteNew(temporary, text);
  if (status == Status::kOk && ::rename(temporary.c_str(), path.c_str()) != 0) status = StatusOfErrno(errno);
  if (status != Status::kOk) ::unlink(temporary.c_str());
  return status;
}

Status CreateFileOnce(const std::string& path, const std::string& text) {
  const std::string temporary = TemporaryName(path);
  Status status = WriteNew(temporary, text);
  if (status == Status::kOk && ::link(temporary.c_str(), path.c_str()) != 0 && errno != EEXIST) status = StatusOfErrno(errno);
  ::unlink(temporary.c_str());
  return status;
}

Status MakeDirectory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return Status::kOk;
  return StatusOfErrno(errno);
}

Status SyncDirectory(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok()) return StatusOfErrno(errno);
  return ::fsync(fd.get()) == 0 ? Status::kOk : StatusOfErrno(errno);
}

std::vector<std::string> ListDirectory(const std::string& path) {
  std::vector<std::string> names;
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return names;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  ::closedir(directory);
  return names;
}

}  // namespace tw::journal
