#include "decode/dhan.h"

#include <gtest/gtest.h>

#include <vector>

namespace tw::decode {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes Packet(std::uint8_t code, std::size_t size, std::size_t said) {
  Bytes bytes(size, 0x11);
  bytes[0] = code;
  bytes[1] = static_cast<std::uint8_t>(said);
  bytes[2] = static_cast<std::uint8_t>(said >> 8);
  bytes[3] = 1;
  return bytes;
}

struct Walk {
  Reason reason;
  std::vector<std::size_t> sizes;
  std::size_t heartbeats = 0;
};
Walk WalkOf(const Bytes& bytes) {
  Walk walk;
  walk.reason = ForEachDhanPacket(
      bytes, [&](std::span<const std::uint8_t> packet) { walk.sizes.push_back(packet.size()); }, [&] { ++walk.heartbeats; });
  return walk;
}

TEST(Dhan, SplitsByLengthAndFallsBackToTheCode) {
  Bytes message;
  for (const Bytes& packet : {Packet(2, 16, 16), Packet(4, 50, 0), Packet(8, 162, 60000), Packet(5, 12, 3), Packet(50, 10, 10)}) {
    message.insert(message.end(), packet.begin(), packet.end());
  }
  const Walk walk = WalkOf(message);
  EXPECT_EQ(walk.reason, Reason::kNone);
  EXPECT_EQ(walk.sizes, (std::vector<std::size_t>{16, 50, 162, 12, 10}));
}

TEST(Dhan, ZerosEndAndAreCounted) {
  for (std::size_t n = 1; n < 40; ++n) {
    const Walk walk = WalkOf(Bytes(n, 0));
    EXPECT_EQ(walk.reason, Reason::kNone);
    EXPECT_EQ(walk.heartbeats, 1u);
    EXPECT_TRUE(walk.sizes.empty());
  }
  Bytes message(16, 0);
  const Bytes ticker = Packet(2, 16, 16);
  message.insert(message.end(), ticker.begin(), ticker.end());
  EXPECT_EQ(WalkOf(message).sizes, (std::vector<std::size_t>{16}));
}

TEST(Dhan, CutAtEveryByte) {
  Bytes message = Packet(8, 162, 162);
  const Bytes tail = Packet(2, 16, 16);
  message.insert(message.end(), tail.begin(), tail.end());
  for (std::size_t cut = 0; cut <= message.size(); ++cut) {
    const Bytes head(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(cut));
    const Walk walk = WalkOf(head);
    EXPECT_EQ(walk.reason, cut == 0 || cut == 162 || cut == 178 ? Reason::kNone : Reason::kTruncated) << cut;
  }
}

TEST(Dhan, AnUnknownCodeIsStepedOverByItsLength) {
  Bytes message = Packet(1, 40, 40);
  const Bytes tail = Packet(2, 16, 16);
  message.insert(message.end(), tail.begin(), tail.end());
  EXPECT_EQ(WalkOf(message).sizes, (std::vector<std::size_t>{40, 16}));
  DhanPacket packet;
  EXPECT_EQ(DecodeDhan(std::span(message).first(40), &packet), Reason::kUnknownType);
  EXPECT_EQ(DecodeDhan(Packet(2, 20, 20), &packet), Reason::kBadLength);
  EXPECT_EQ(DecodeDhan(Packet(2, 16, 16), &packet), Reason::kNone);
  EXPECT_EQ(DecodeDhan(Bytes(7), &packet), Reason::kTruncated);
}

TEST(Dhan, SellBeforeBuyAndCloseBeforeHigh) {
  Bytes bytes = Packet(4, 50, 50);
  const auto put32 = [&](std::size_t at, std::uint32_t v) { std::memcpy(bytes.data() + at, &v, 4); };
  const auto put_float = [&](std::size_t at, float v) { std::memcpy(bytes.data() + at, &v, 4); };
  put32(26, 111);
  put32(30, 222);
  put_float(34, 1), put_float(38, 2), put_float(42, 3), put_float(46, 4);
  DhanPacket packet;
  ASSERT_EQ(DecodeDhan(bytes, &packet), Reason::kNone);
  EXPECT_EQ(packet.sell_quantity, 111u);
  EXPECT_EQ(packet.buy_quantity, 222u);
  EXPECT_EQ(packet.open, 1);
  EXPECT_EQ(packet.close, 2);
  EXPECT_EQ(packet.high, 3);
  EXPECT_EQ(packet.low, 4);
}

}  // namespace
}  // namespace tw::decode
