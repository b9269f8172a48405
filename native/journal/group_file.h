// Opens and maps a group's page; what it knows of processes (who lives, when they started).
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "journal/group_page.h"

namespace tw::journal {

class GroupFile {
 public:
  // Opens or makes the page; null: *error says why. `create` false: null without an error when there is none.
  static std::unique_ptr<GroupFile> Open(const std::string& directory, std::string_view group, std::string_view log_id,
                                         bool create, std::string* error);
  ~GroupFile();
  GroupFile(const GroupFile&) = delete;
  GroupFile& operator=(const GroupFile&) = delete;

  page::Page* page() const { return page_; }
  // Index of the topic, made or grown under the file's lock. -1: the table is full or the name or count is bad.
  int EnsureTopic(std::string_view name, std::uint32_t partitions);
  int FindTopic(std::string_view name) const;

 private:
  GroupFile(int fd, page::Page* mapped) : fd_(fd), page_(mapped) {}
  const int fd_;
  page::Page* const page_;
};

// [A-Za-z0-9._-]{1,200}, not beginning with a dot.
bool IsGroupName(std::string_view name);

struct ProcessStart {
  bool running = false;     // False: no such process, or it is dead and waits to be reaped.
  std::uint64_t ticks = 0;  // Start time, clock ticks since boot: tells a reused pid.
};
ProcessStart StartOfProcess(std::uint32_t pid);
std::uint64_t PidNamespace();

}  // namespace tw::journal
