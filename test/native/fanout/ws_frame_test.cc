// The frame reader against masks, fragments, limits and every refusal; split at every byte is whole.
#include "fanout/ws_frame.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fanout/accept_key.h"
#include "fanout/utf8.h"

namespace tw::fanout {
namespace {

struct Recorder : FrameSink {
  std::vector<std::string> events;
  void OnMessage(Opcode opcode, std::string_view bytes) override {
    events.push_back((opcode == Opcode::kText ? "text " : "binary ") + std::string(bytes));
  }
  void OnPing(std::string_view bytes) override { events.push_back("ping " + std::string(bytes)); }
  void OnPong(std::string_view bytes) override { events.push_back("pong " + std::string(bytes)); }
  void OnClose(std::uint16_t code, std::string_view reason) override { events.push_back("close " + std::to_string(code) + " " + std::string(reason)); }
};

std::string Masked(int first_byte, std::string payload, int length_code = -1) {
  const unsigned char mask[4] = {0x12, 0xa4, 0x5b, 0xf0};
  std::string out(1, static_cast<char>(first_byte));
  const std::size_t size = payload.size();
  if (length_code == 127 || size >= 65536) {
    out += static_cast<char>(0x80 | 127);
    for (int i = 7; i >= 0; --i) out += static_cast<char>(static_cast<std::uint64_t>(size) >> (8 * i));
  } else if (length_code == 126 || size >= 126) {
    out += static_cast<char>(0x80 | 126);
    out += static_cast<char>(size >> 8);
    out += static_cast<char>(size & 255);
  } else {
    out += static_cast<char>(0x80 | size);
  }
  for (unsigned char m : mask) out += static_cast<char>(m);
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(static_cast<unsigned char>(payload[i]) ^ mask[i & 3]);
  return out;
}

FrameError FeedAll(const std::string& bytes, Recorder* sink, std::size_t limit = 1 << 16) {
  FrameReader reader(limit);
  return reader.Feed(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), sink);
}

TEST(WsFrame, SplitAtEveryByteIsWhole) {
  const std::string bytes = Masked(0x81, "hello") + Masked(0x01, "frag") + Masked(0x89, "are you there") + Masked(0x00, "men") +
                            Masked(0x80, "ted \xe2\x82\xac") + Masked(0x82, std::string(300, 'x')) + Masked(0x8a, "") + Masked(0x88, "\x03\xe8" "bye");
  Recorder whole;
  ASSERT_EQ(FeedAll(bytes, &whole), FrameError::kNone);
  ASSERT_EQ(whole.events.size(), 6u);
  EXPECT_EQ(whole.events[1], "ping are you there");
  EXPECT_EQ(whole.events[2], "text fragmented \xe2\x82\xac");
  EXPECT_EQ(whole.events[5], "close 1000 bye");
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Recorder split;
    FrameReader reader(1 << 16);
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    ASSERT_EQ(reader.Feed(data, cut, &split), FrameError::kNone);
    ASSERT_EQ(reader.Feed(data + cut, bytes.size() - cut, &split), FrameError::kNone);
    ASSERT_EQ(split.events, whole.events) << "cut at " << cut;
  }
  Recorder single;
  FrameReader reader(1 << 16);
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    ASSERT_EQ(reader.Feed(&byte, 1, &single), FrameError::kNone);
  }
  EXPECT_EQ(single.events, whole.events);
}

TEST(WsFrame, Refusals) {
  const struct {
    std::string bytes;
    FrameError error;
    std::uint16_t code;
  } cases[] = {
      {std::string("\x81\x05hello", 7), FrameError::kNotMasked, 1002},
      {Masked(0xc1, "x"), FrameError::kReservedBits, 1002},
      {Masked(0x83, "x"), FrameError::kUnknownOpcode, 1002},
      {Masked(0x8b, "x"), FrameError::kUnknownOpcode, 1002},
      {Masked(0x81, "short", 126), FrameError::kBadLength, 1002},
      {Masked(0x81, std::string(200, 'a'), 127), FrameError::kBadLength, 1002},
      {Masked(0x89, std::string(126, 'a')), FrameError::kControlTooLong, 1002},
      {Masked(0x09, "x"), FrameError::kControlFragmented, 1002},
      {Masked(0x80, "x"), FrameError::kNothingToContinue, 1002},
      {Masked(0x01, "x") + Masked(0x81, "y"), FrameError::kMessageUnfinished, 1002},
      {Masked(0x81, std::string(1001, 'a')), FrameError::kMessageTooLarge, 1009},
      {Masked(0x01, std::string(600, 'a')) + Masked(0x80, std::string(600, 'a')), FrameError::kMessageTooLarge, 1009},
      {Masked(0x81, "\xc3\x28"), FrameError::kBadUtf8, 1007},
      {Masked(0x88, "x"), FrameError::kBadClose, 1002},
      {Masked(0x88, std::string("\x03\xed", 2)), FrameError::kBadClose, 1002},  // 1005 never travels.
      {Masked(0x88, std::string("\x03\xe8\xff", 3)), FrameError::kBadUtf8, 1007},
  };
  for (const auto& c : cases) {
    Recorder sink;
    EXPECT_EQ(FeedAll(c.bytes, &sink, 1000), c.error) << FrameErrorName(c.error);
    EXPECT_EQ(CloseCodeOf(c.error), c.code);
  }
  const std::string huge = std::string("\x82\xff", 2) + std::string(8, '\xff') + "mask";
  Recorder sink;
  EXPECT_EQ(FeedAll(huge, &sink), FrameError::kBadLength);
  const std::string large = std::string("\x82\xff\x7f", 3) + std::string(7, '\xff') + "mask";
  EXPECT_EQ(FeedAll(large, &sink), FrameError::kMessageTooLarge);
}

TEST(WsFrame, WhatWeWriteHasTheShortestLength) {
  for (const std::size_t size : {0u, 1u, 125u, 126u, 65535u, 65536u, 70000u}) {
    std::string out;
    AppendFrameHeader(Opcode::kBinary, size, &out);
    EXPECT_EQ(out.size(), size < 126 ? 2u : size < 65536 ? 4u : 10u);
  }
}

TEST(AcceptKey, Rfc6455Example) {
  EXPECT_EQ(AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_TRUE(IsWebSocketKey("dGhlIHNhbXBsZSBub25jZQ=="));
  EXPECT_FALSE(IsWebSocketKey("dGhlIHNhbXBsZSBub25jZQ="));
  EXPECT_FALSE(IsWebSocketKey("dGhlIHNhbXBsZSBub25jZR=="));
  EXPECT_FALSE(IsWebSocketKey("dGhlIHNhb!BsZSBub25jZQ=="));
}

TEST(Utf8, EdgesOfTheTable) {
  const auto valid = [](std::string_view t) { return IsUtf8(reinterpret_cast<const std::uint8_t*>(t.data()), t.size()); };
  EXPECT_TRUE(valid("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
  for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5", "\xe2\x82", "\xff"}) {
    EXPECT_FALSE(valid(bad));
  }
}

}  // namespace
}  // namespace tw::fanout
