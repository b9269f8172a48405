// Appenders, readers and waiters behind the C table.
#include <utility>
#include <vector>

#include "journal/engine_export_parts.h"

// What the table's opaque pointers stand for. Each object keeps the log: it may be the last to hold it.
struct tw_appender {
  std::shared_ptr<tw::journal::Log> log;
  std::unique_ptr<tw::journal::Appender> appender;
  std::vector<tw::journal::Appender::Message> messages;  // Kept between calls: an appender belongs to one thread.
};

struct tw_reader {
  std::shared_ptr<tw::journal::Log> log;
  std::unique_ptr<tw::journal::Reader> reader;
};

struct tw_waiter {
  std::shared_ptr<tw::journal::Log> log;
  std::unique_ptr<tw::journal::Waiter> waiter;
};

namespace tw::journal {
namespace {

// --- appending

tw_appender* OpenAppender(void* log, tw_text topic, std::uint32_t partition, std::uint8_t* code) {
  *code = kFailed;
  return Guarded(static_cast<tw_appender*>(nullptr), [&]() -> tw_appender* {
    Status status = Status::kOk;
    auto opened = LogOf(log).OpenAppender(ViewOf(topic), partition, &status);
    *code = Code(status);
    return opened == nullptr ? nullptr : new tw_appender{SharedOf(log), std::move(opened), {}};
  });
}

Appender::Message MessageOf(const tw_append& given) {
  return {.kind = static_cast<Kind>(given.kind),
          .key = ViewOf(given.key),
          .value = {given.value.data, given.value.size},
          .count = given.count,
          .ts_recv = given.ts_recv,
          .ts_recv_max = given.ts_recv_max,
          .position_max = given.position_max};
}

std::uint8_t Append(tw_appender* self, const tw_append* messages, std::size_t count, std::uint64_t* offset) {
  return Guarded(kFailed, [&] {
    AppendResult result;
    if (count == 1) {
      result = self->appender->Append(MessageOf(*messages));
    } else {
      self->messages.clear();
      for (std::size_t i = 0; i < count; ++i) self->messages.push_back(MessageOf(messages[i]));
      result = self->appender->Append(std::span<const Appender::Message>(self->messages));
    }
    *offset = result.offset;
    return Code(result.status);
  });
}
std::uint8_t Sync(tw_appender* self) {
  return Guarded(kFailed, [&] { return Code(self->appender->Sync()); });
}
void CloseAppender(tw_appender* self) {
  Guarded([&] { delete self; });
}

// --- reading

tw_reader* OpenReader(void* log, tw_text topic, std::uint32_t partition, std::uint8_t* code) {
  *code = kFailed;
  return Guarded(static_cast<tw_reader*>(nullptr), [&]() -> tw_reader* {
    Status status = Status::kOk;
    auto opened = LogOf(log).OpenReader(ViewOf(topic), partition, &status);
    *code = Code(status);
    return opened == nullptr ? nullptr : new tw_reader{SharedOf(log), std::move(opened)};
  });
}

std::uint8_t Next(tw_reader* self, tw_message* out) {
  return Guarded(kFailed, [&] {
    MessageView message;
    const Status status = self->reader->Next(&message);
    if (status == Status::kOk) {
      *out = {message.offset,
              message.count,
              static_cast<std::uint32_t>(message.kind),
              TextOf(message.key),
              {message.value.data(), message.value.size()},
              message.ts_recv,
              message.ts_recv_max};
    }
    return Code(status);
  });
}

void SkipOf(tw_reader* self, tw_skip* out) {
  const Reader::Skip& skip = self->reader->skip();
  *out = {skip.from_offset, skip.to_offset, TextOf(skip.file), skip.file_position};
}
std::uint64_t Position(tw_reader* self) {
  return Guarded(std::uint64_t{0}, [&] { return self->reader->position(); });
}
std::uint8_t SeekOffset(tw_reader* self, std::uint64_t offset) {
  return Guarded(kFailed, [&] { return Code(self->reader->SeekOffset(offset)); });
}
std::uint8_t SeekTime(tw_reader* self, std::uint64_t ts_recv) {
  return Guarded(kFailed, [&] { return Code(self->reader->SeekTime(ts_recv)); });
}
std::uint8_t SeekPosition(tw_reader* self, std::uint64_t position) {
  return Guarded(kFailed, [&] { return Code(self->reader->SeekPosition(position)); });
}
std::uint64_t BeginOffset(tw_reader* self) {
  return Guarded(std::uint64_t{0}, [&] { return self->reader->begin_offset(); });
}
std::uint64_t EndOffset(tw_reader* self) {
  return Guarded(std::uint64_t{0}, [&] { return self->reader->end_offset(); });
}
void CloseReader(tw_reader* self) {
  Guarded([&] { delete self; });
}

// --- waiting

tw_waiter* OpenWaiter(void* log) {
  return Guarded(static_cast<tw_waiter*>(nullptr), [&]() -> tw_waiter* {
    auto opened = LogOf(log).OpenWaiter();
    return opened == nullptr ? nullptr : new tw_waiter{SharedOf(log), std::move(opened)};
  });
}
std::uint32_t Ticket(tw_waiter* self) {
  return Guarded(std::uint32_t{0}, [&] { return self->waiter->Ticket(); });
}
int Wait(tw_waiter* self, std::uint32_t ticket, std::uint32_t timeout_ms) {
  return Guarded(0, [&] { return self->waiter->Wait(ticket, timeout_ms) ? 1 : 0; });
}
void Interrupt(tw_waiter* self) {
  Guarded([&] { self->waiter->Interrupt(); });
}
void CloseWaiter(tw_waiter* self) {
  Guarded([&] { delete self; });
}

}  // namespace

void AddObjects(tw_engine* table) {
  table->open_appender = OpenAppender;
  table->open_reader = OpenReader;
  table->open_waiter = OpenWaiter;
  table->appender_append = Append;
  table->appender_sync = Sync;
  table->appender_close = CloseAppender;
  table->reader_next = Next;
  table->reader_skip = SkipOf;
  table->reader_position = Position;
  table->reader_seek_offset = SeekOffset;
  table->reader_seek_time = SeekTime;
  table->reader_seek_position = SeekPosition;
  table->reader_begin_offset = BeginOffset;
  table->reader_end_offset = EndOffset;
  table->reader_close = CloseReader;
  table->waiter_ticket = Ticket;
  table->waiter_wait = Wait;
  table->waiter_interrupt = Interrupt;
  table->waiter_close = CloseWaiter;
}

}  // namespace tw::journal
