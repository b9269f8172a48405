// The log-wide futex word. An append bumps it and wakes whoever waits; a waiter that died costs one vain wake, no more.
#pragma once
#include <memory>
#include <string>

#include "journal/fd.h"
#include "journal/format.h"
#include "journal/log.h"

namespace tw::journal {

class Notify {
 public:
  // Never fails for a log that can be written; a read-only one without the page gets a Notify that only polls.
  static Status Open(const std::string& path, bool read_only, std::shared_ptr<Notify>* out);
  void Bump();
  std::uint32_t Ticket() const;
  // True: the word moved since the ticket. False: timed out.
  bool Wait(std::uint32_t ticket, std::uint32_t timeout_ms);

 private:
  Mapping mapping_;
  std::atomic<std::uint32_t>* word_ = nullptr;
  bool writable_ = false;
};

std::unique_ptr<Waiter> MakeWaiter(std::shared_ptr<Notify> notify);

}  // namespace tw::journal
