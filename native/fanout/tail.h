// One partition of one topic, followed. The follower's own.
#pragma once
#include "fanout/server.h"

namespace tw::fanout {

struct Server::Tail {
  Topic* topic = nullptr;
  std::uint32_t partition = 0;
  std::unique_ptr<journal::Reader> reader;
  std::uint64_t live_from = 0;  // The end when it was opened: behind it everything is live.
  bool live = false;
  // A message read but not taken yet, because it names an instrument that is not listed.
  bool pending = false;
  journal::MessageView message;
  wire::BatchView batch;  // Of the message.
  std::uint64_t give_up_ns = 0;
  std::uint32_t seen_version = 0;  // Of the instruments, when it was last looked at.
  std::uint64_t retry_ns = 0;      // After an I/O error.
};

}  // namespace tw::fanout
