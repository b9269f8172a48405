#include "decode/kite.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace tw::decode {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes Packet(std::size_t length, std::uint32_t seed) {
  Bytes bytes(length);
  std::mt19937 random(seed);
  for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
  return bytes;
}

Bytes Frame(const std::vector<Bytes>& packets) {
  Bytes frame = {static_cast<std::uint8_t>(packets.size() >> 8), static_cast<std::uint8_t>(packets.size())};
  for (const Bytes& packet : packets) {
    frame.push_back(static_cast<std::uint8_t>(packet.size() >> 8));
    frame.push_back(static_cast<std::uint8_t>(packet.size()));
    frame.insert(frame.end(), packet.begin(), packet.end());
  }
  return frame;
}

TEST(Kite, FastSwapEqualsScalar) {
  std::size_t compared = 0;
  for (std::size_t words = 0; words <= kKiteWordsMax; ++words) {
    const Bytes in = Packet(words * 4 + 1, static_cast<std::uint32_t>(words));
    std::uint32_t fast[48] = {};
    std::uint32_t scalar[48] = {};
    SwapWordsFast(in.data() + 1, fast, words);  // Unaligned on purpose.
    SwapWordsScalar(in.data() + 1, scalar, words);
    for (std::size_t i = 0; i < 48; ++i, ++compared) ASSERT_EQ(fast[i], scalar[i]) << words;
  }
  std::printf("byte swap path %s: %zu words compared with scalar\n", SwapWordsPath(), compared);
}

TEST(Kite, EveryLengthHasItsKindOrAReason) {
  KitePacket packet;
  for (std::size_t length = 0; length <= 200; ++length) {
    const Bytes bytes = Packet(length, 1);
    const Reason reason = DecodeKite(bytes, &packet);
    if (length == 8 || length == 28 || length == 32 || length == 44 || length == 184) {
      EXPECT_EQ(reason, Reason::kNone) << length;
    } else {
      EXPECT_EQ(reason, length == 164 ? Reason::kLegacyPacket : Reason::kBadLength) << length;
    }
  }
}

TEST(Kite, UnsignedQuantitiesAndSignedPrices) {
  Bytes bytes(184);
  for (std::size_t i = 0; i < 184; ++i) bytes[i] = 0xff;
  KitePacket packet;
  ASSERT_EQ(DecodeKite(bytes, &packet), Reason::kNone);
  EXPECT_EQ(packet.volume(), 0xffffffffu);
  EXPECT_EQ(packet.last_price(), -1);
  EXPECT_EQ(packet.open_interest(), 0xffffffffu);
  EXPECT_EQ(packet.depth(9).quantity, 0xffffffffu);
  EXPECT_EQ(packet.depth(9).orders, 0xffffu);
}

TEST(Kite, ABadLengthLeavesTheRestOfTheFrame) {
  const Bytes frame = Frame({Packet(8, 1), Packet(9, 2), Packet(164, 3), Packet(0, 4), Packet(44, 5)});
  std::size_t good = 0, legacy = 0, bad = 0;
  const Reason reason = ForEachKitePacket(frame, [&](std::span<const std::uint8_t> bytes) {
    KitePacket packet;
    const Reason r = DecodeKite(bytes, &packet);
    good += r == Reason::kNone;
    legacy += r == Reason::kLegacyPacket;
    bad += r == Reason::kBadLength;
  });
  EXPECT_EQ(reason, Reason::kNone);
  EXPECT_EQ(good, 2u);
  EXPECT_EQ(legacy, 1u);
  EXPECT_EQ(bad, 2u);
}

TEST(Kite, CutAtEveryByte) {
  const Bytes frame = Frame({Packet(184, 1), Packet(44, 2)});
  for (std::size_t cut = 0; cut <= frame.size(); ++cut) {
    const Bytes head(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(cut));  // Its own allocation: ASan sees the end.
    std::size_t packets = 0;
    const Reason reason = ForEachKitePacket(head, [&](auto) { ++packets; });
    EXPECT_EQ(reason, cut < 2 ? Reason::kHeartbeat : cut < frame.size() ? Reason::kTruncated : Reason::kNone) << cut;
    EXPECT_EQ(packets, (cut >= 188 ? 1u : 0u) + (cut >= 234 ? 1u : 0u)) << cut;
  }
  Bytes longer = frame;
  longer.push_back(0);
  EXPECT_EQ(ForEachKitePacket(longer, [](auto) {}), Reason::kTrailingBytes);
}

}  // namespace
}  // namespace tw::decode
