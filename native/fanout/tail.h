// What a follower keeps: one log, and its partitions that are followed. The follower thread's own.
#pragma once
#include <set>
#include <thread>

#include "fanout/server.h"

namespace tw::fanout {

// One partition of one topic, followed.
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

struct Server::Follower {
  std::shared_ptr<journal::Log> log;
  std::unique_ptr<journal::Waiter> waiter;
  std::thread thread;
  std::atomic<bool> topics_changed{false};
  std::vector<std::unique_ptr<Tail>> tails;
  std::uint64_t next_open_ns = 0;
  std::uint64_t give_up_ns = 0;  // A log that cannot be read by then holds up nobody.
  bool all_there = false;        // Every topic was found in the log when last looked for.
  struct Stamp {
    std::uint64_t ts_append;
    std::uint64_t ts_recv;
  };
  std::vector<Stamp> stamps;
  std::set<Topic*> settled;  // Read to where they ended, or not in this log. Under the server's lock.
};

}  // namespace tw::fanout
