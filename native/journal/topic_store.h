// Topics as directories: <log>/topics/<name>/topic holds the options, replaced by rename.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "journal/log.h"

namespace tw::journal {

// [a-z0-9._-]{1,200}, not beginning with a dot. Checked before a name touches a path.
bool ValidTopicName(std::string_view name);

class TopicStore {
 public:
  TopicStore(std::string directory, bool read_only) : directory_(std::move(directory)), read_only_(read_only) {}
  Status Ensure(const TopicOptions& options, std::string* error);
  bool Find(std::string_view name, TopicOptions* out) const;
  std::vector<TopicOptions> List() const;
  std::string PathOf(std::string_view name) const { return directory_ + "/" + std::string(name); }

 private:
  std::string directory_;
  bool read_only_;
};

}  // namespace tw::journal
