// A file descriptor and a mapping that close themselves, and the few file operations the log needs, with errno as a Status.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "journal/log.h"

namespace tw::journal {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd();
  Fd(Fd&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Fd& operator=(Fd&& other) noexcept;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

class Mapping {
 public:
  Mapping() = default;
  ~Mapping();
  Mapping(Mapping&& other) noexcept : data_(other.data_), size_(other.size_) { other.data_ = nullptr; }
  Mapping& operator=(Mapping&& other) noexcept;
  // Shared, or private and writable (changes stay in this process). False: errno tells.
  static bool MapFile(int fd, std::size_t size, bool writable, Mapping* out);
  static bool MapAnonymous(std::size_t size, Mapping* out);
  std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

Status StatusOfErrno(int error);  // ENOSPC, EDQUOT: kDiskFull; ENOENT: kNotFound; else kIoError.
// Gives the file real blocks up to `size`, so that a store into its mapping cannot meet a full disk. A test may put another
// function in its place.
Status Preallocate(int fd, std::uint64_t size);
using PreallocateFunction = int (*)(int fd, std::uint64_t size);  // An errno value, 0: done.
void SetPreallocateForTest(PreallocateFunction function);

bool ReadWholeFile(const std::string& path, std::size_t size_max, std::string* out);
// Writes beside `path` and renames over it: readers see the old or the new text, whole.
Status ReplaceFile(const std::string& path, const std::string& text);
// Writes `text` as `path` unless it exists already (also then kOk).
Status CreateFileOnce(const std::string& path, const std::string& text);
Status MakeDirectory(const std::string& path);
Status SyncDirectory(const std::string& path);
// Plain names in a directory, unsorted; empty when it cannot be read.
std::vector<std::string> ListDirectory(const std::string& path);

}  // namespace tw::journal
