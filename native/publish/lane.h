// One partition of the log while it is published.
#pragma once
#include <cstdint>
#include <memory>

#include "journal/group.h"
#include "journal/log.h"
#include "publish/publisher.h"

namespace tw::publish {

struct Publisher::Lane {
  journal::Assignment assignment;
  std::unique_ptr<journal::Reader> reader;
  std::unique_ptr<Flight> flight;
  std::unique_ptr<Writer> writer;  // Null: not opened yet.
  journal::MessageView view;
  bool held = false;           // `view` was read and has not been taken.
  bool waits = false;          // The writer said kWait.
  bool full = false;           // Something of it waits for acknowledgements.
  std::uint64_t position = 0;  // Where it starts when it is opened (again).
  std::uint64_t committed = 0;
  std::uint32_t since_commit = 0;  // Messages of the log.
};

}  // namespace tw::publish
