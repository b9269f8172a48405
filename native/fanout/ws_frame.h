// WebSocket frames (RFC 6455 section 5) as a server reads and writes them.
// Reads bytes in pieces of any size; split at every byte gives the same events as whole. Pure: no socket, no clock.
// Bound: one message of `message_bytes_max`; a longer one is an error before its bytes are kept.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tw::fanout {

enum class Opcode : std::uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

enum class FrameError : std::uint8_t {
  kNone = 0,
  kReservedBits,
  kUnknownOpcode,
  kNotMasked,
  kBadLength,  // Not the shortest form, or the sign bit set.
  kControlTooLong,
  kControlFragmented,
  kNothingToContinue,
  kMessageUnfinished,  // A new data frame inside a fragmented message.
  kMessageTooLarge,
  kBadUtf8,
  kBadClose,
  kCount
};
const char* FrameErrorName(FrameError error);
// The close code that tells the peer: 1002, 1007 or 1009.
std::uint16_t CloseCodeOf(FrameError error);

class FrameSink {
 public:
  virtual ~FrameSink() = default;
  virtual void OnMessage(Opcode opcode, std::string_view bytes) = 0;  // kText (valid UTF-8) or kBinary.
  virtual void OnPing(std::string_view bytes) = 0;
  virtual void OnPong(std::string_view bytes) = 0;
  virtual void OnClose(std::uint16_t code, std::string_view reason) = 0;  // 1005: the peer gave no code.
};

class FrameReader {
 public:
  explicit FrameReader(std::size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}
  // After an error, or after the peer's close frame, everything further is ignored.
  FrameError Feed(const std::uint8_t* data, std::size_t size, FrameSink* sink);
  FrameError error() const { return error_; }
  bool closed() const { return closed_; }

 private:
  FrameError TakeHeader();
  FrameError Finish(FrameSink* sink);
  FrameError FinishControl(FrameSink* sink);

  std::size_t message_bytes_max_;
  std::uint8_t header_[14] = {};
  std::size_t header_size_ = 0;
  std::size_t header_needed_ = 2;
  bool in_payload_ = false;
  bool fin_ = false;
  bool closed_ = false;
  Opcode opcode_ = Opcode::kContinuation;
  Opcode message_opcode_ = Opcode::kContinuation;  // Of the fragmented message under way; kContinuation: none.
  std::uint64_t payload_left_ = 0;
  std::uint8_t mask_[4] = {};
  std::size_t mask_at_ = 0;
  FrameError error_ = FrameError::kNone;
  std::string message_;
  std::string control_;
};

// The header of an unmasked, unfragmented frame; the payload follows it.
void AppendFrameHeader(Opcode opcode, std::size_t payload_size, std::string* out);
void AppendFrame(Opcode opcode, std::string_view payload, std::string* out);
void AppendCloseFrame(std::uint16_t code, std::string_view reason, std::string* out);

}  // namespace tw::fanout
