#include "fanout/ws_frame.h"

#include <algorithm>

#include "fanout/utf8.h"

namespace tw::fanout {
namespace {

bool IsControl(Opcode opcode) { return static_cast<std::uint8_t>(opcode) >= 8; }

// Codes a peer may send: RFC 6455 section 7.4 and the IANA registry; 1004–1006 and 1015 never travel.
bool IsCloseCode(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace

const char* FrameErrorName(FrameError error) {
  switch (error) {
    case FrameError::kNone: return "none";
    case FrameError::kReservedBits: return "reserved_bits";
    case FrameError::kUnknownOpcode: return "unknown_opcode";
    case FrameError::kNotMasked: return "not_masked";
    case FrameError::kBadLength: return "bad_length";
    case FrameError::kControlTooLong: return "control_too_long";
    case FrameError::kControlFragmented: return "control_fragmented";
    case FrameError::kNothingToContinue: return "nothing_to_continue";
    case FrameError::kMessageUnfinished: return "message_unfinished";
    case FrameError::kMessageTooLarge: return "message_too_large";
    case FrameError::kBadUtf8: return "bad_utf8";
    case FrameError::kBadClose: return "bad_close";
    case FrameError::kCount: break;
  }
  return "unknown";
}

std::uint16_t CloseCodeOf(FrameError error) {
  if (error == FrameError::kMessageTooLarge) return 1009;
  return error == FrameError::kBadUtf8 ? 1007 : 1002;
}

FrameError FrameReader::TakeHeader() {
  if (header_size_ == 2) {
    if ((header_[0] & 0x70) != 0) return FrameError::kReservedBits;
    const std::uint8_t opcode = header_[0] & 0x0f;
    if (opcode > 2 && (opcode < 8 || opcode > 10)) return FrameError::kUnknownOpcode;
    opcode_ = static_cast<Opcode>(opcode);
    fin_ = (header_[0] & 0x80) != 0;
    if ((header_[1] & 0x80) == 0) return FrameError::kNotMasked;
    const std::uint8_t length = header_[1] & 0x7f;
    if (IsControl(opcode_)) {
      if (!fin_) return FrameError::kControlFragmented;
      if (length > 125) return FrameError::kControlTooLong;
    } else if (opcode_ == Opcode::kContinuation) {
      if (message_opcode_ == Opcode::kContinuation) return FrameError::kNothingToContinue;
    } else if (message_opcode_ != Opcode::kContinuation) {
      return FrameError::kMessageUnfinished;
    }
    header_needed_ = 2u + (length == 126 ? 2u : length == 127 ? 8u : 0u) + 4u;
    return FrameError::kNone;
  }
  std::uint64_t length = header_[1] & 0x7f;
  const std::size_t extra = header_needed_ - 6;
  if (extra != 0) {
    length = 0;
    for (std::size_t i = 0; i < extra; ++i) length = length << 8 | header_[2 + i];
    if (extra == 2 ? length < 126 : (length < 65536 || length >> 63 != 0)) return FrameError::kBadLength;
  }
  if (!IsControl(opcode_)) {
    if (length > message_bytes_max_ || message_.size() > message_bytes_max_ - length) return FrameError::kMessageTooLarge;
    if (opcode_ != Opcode::kContinuation) message_opcode_ = opcode_;
  }
  for (std::size_t i = 0; i < 4; ++i) mask_[i] = header_[header_needed_ - 4 + i];
  mask_at_ = 0;
  payload_left_ = length;
  in_payload_ = true;
  return FrameError::kNone;
}

FrameError FrameReader::FinishControl(FrameSink* sink) {
  if (opcode_ == Opcode::kPing) {
    sink->OnPing(control_);
  } else if (opcode_ == Opcode::kPong) {
    sink->OnPong(control_);
  } else {
    std::uint16_t code = 1005;
    std::string_view reason;
    if (control_.size() == 1) return FrameError::kBadClose;
    if (control_.size() >= 2) {
      code = static_cast<std::uint16_t>(static_cast<std::uint8_t>(control_[0]) << 8 | static_cast<std::uint8_t>(control_[1]));
      if (!IsCloseCode(code)) return FrameError::kBadClose;
      reason = std::string_view(control_).substr(2);
      if (!IsUtf8(reinterpret_cast<const std::uint8_t*>(reason.data()), reason.size())) return FrameError::kBadUtf8;
    }
    closed_ = true;
    sink->OnClose(code, reason);
  }
  control_.clear();
  return FrameError::kNone;
}

FrameError FrameReader::Finish(FrameSink* sink) {
  in_payload_ = false;
  header_size_ = 0;
  header_needed_ = 2;
  if (IsControl(opcode_)) return FinishControl(sink);
  if (!fin_) return FrameError::kNone;
  const Opcode opcode = message_opcode_;
  message_opcode_ = Opcode::kContinuation;
  if (opcode == Opcode::kText && !IsUtf8(reinterpret_cast<const std::uint8_t*>(message_.data()), message_.size())) {
    return FrameError::kBadUtf8;
  }
  sink->OnMessage(opcode, message_);
  message_.clear();
  if (message_.capacity() > 4096) message_.shrink_to_fit();
  return FrameError::kNone;
}

FrameError FrameReader::Feed(const std::uint8_t* data, std::size_t size, FrameSink* sink) {
  std::size_t at = 0;
  while (error_ == FrameError::kNone && !closed_) {
    if (in_payload_) {
      if (payload_left_ == 0) {
        error_ = Finish(sink);
        continue;
      }
      if (at == size) break;
      const std::size_t take = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, size - at));
      std::string& into = IsControl(opcode_) ? control_ : message_;
      const std::size_t from = into.size();
      into.append(reinterpret_cast<const char*>(data + at), take);
      for (std::size_t i = 0; i < take; ++i) {
        into[from + i] = static_cast<char>(static_cast<std::uint8_t>(into[from + i]) ^ mask_[mask_at_ & 3]);
        ++mask_at_;
      }
      at += take;
      payload_left_ -= take;
      continue;
    }
    if (at == size) break;
    header_[header_size_++] = data[at++];
    if (header_size_ == 2 || header_size_ == header_needed_) error_ = TakeHeader();
  }
  return error_;
}

void AppendFrameHeader(Opcode opcode, std::size_t payload_size, std::string* out) {
  out->push_back(static_cast<char>(0x80 | static_cast<std::uint8_t>(opcode)));
  if (payload_size < 126) {
    out->push_back(static_cast<char>(payload_size));
  } else {
    const int bytes = payload_size < 65536 ? 2 : 8;
    out->push_back(static_cast<char>(bytes == 2 ? 126 : 127));
    for (int i = bytes - 1; i >= 0; --i) out->push_back(static_cast<char>(static_cast<std::uint64_t>(payload_size) >> (8 * i)));
  }
}

void AppendFrame(Opcode opcode, std::string_view payload, std::string* out) {
  AppendFrameHeader(opcode, payload.size(), out);
  out->append(payload);
}

void AppendCloseFrame(std::uint16_t code, std::string_view reason, std::string* out) {
  reason = reason.substr(0, 123);
  AppendFrameHeader(Opcode::kClose, reason.size() + 2, out);
  out->push_back(static_cast<char>(code >> 8));
  out->push_back(static_cast<char>(code & 255));
  out->append(reason);
}

}  // namespace tw::fanout
