// A client that reads what an outbox holds and checks it: frames, envelopes, (epoch, seq) of every stream.
#pragma once
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "fanout/hub.h"
#include "fanout/ws_frame.h"
#include "model/stream.h"
#include "wire/batch.h"

namespace tw::fanout::test {

inline Trade MakeTrade(std::uint32_t instrument, std::uint32_t seq, std::int64_t price = 100, std::uint32_t epoch = 1000) {
  Trade trade{};
  trade.header = {.ts_event = 1'000'000ull + seq, .ts_recv = 1'000'100ull + seq, .seq = seq, .epoch = epoch, .instrument_id = instrument,
                  .type = RecordType::kTrade, .source = 0, .flags = 0};
  trade.price = price;
  trade.size = seq;
  return trade;
}

class Batches {
 public:
  template <class Record>
  std::span<const std::uint8_t> Of(const std::vector<Record>& records) {
    builder_.Begin(records.front().header.type, 7);
    for (const auto& record : records) builder_.Add(&record);
    return builder_.Finish(99);
  }

 private:
  wire::BatchBuilder builder_{65536};
};

// Reads server frames (unmasked) from a byte stream.
class Reader {
 public:
  std::vector<std::string> texts;
  struct Seen {
    StreamCursor cursor;
    std::uint64_t last = 0;
    std::uint64_t delivered = 0;  // Live and conflated.
    std::uint64_t holes = 0;      // Positions between that were not seen.
    std::int64_t price = 0;
  };
  std::map<StreamKey, Seen> streams;
  std::uint64_t snapshots = 0;
  std::uint64_t repeats = 0;
  std::uint64_t delivered = 0;
  std::uint64_t noticed = 0;  // Sum of the counts of gap notices.
  std::uint16_t close_code = 0;

  void Feed(std::string_view bytes) {
    pending_ += bytes;
    while (Frame()) {
    }
  }
  const std::string* TextWith(std::string_view part) const {
    for (const auto& text : texts) {
      if (text.find(part) != std::string::npos) return &text;
    }
    return nullptr;
  }

 private:
  bool Frame() {
    if (pending_.size() < 2) return false;
    std::size_t header = 2;
    std::uint64_t length = static_cast<std::uint8_t>(pending_[1]);
    const std::size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (pending_.size() < header + extra) return false;
    if (extra != 0) {
      length = 0;
      for (std::size_t i = 0; i < extra; ++i) length = length << 8 | static_cast<std::uint8_t>(pending_[2 + i]);
    }
    header += extra;
    if (pending_.size() < header + length) return false;
    const std::string payload = pending_.substr(header, length);
    const int opcode = pending_[0] & 15;
    pending_.erase(0, header + length);
    if (opcode == 1) {
      texts.push_back(payload);
      Notice(payload);
    } else if (opcode == 8) {
      close_code = static_cast<std::uint16_t>(static_cast<std::uint8_t>(payload[0]) << 8 | static_cast<std::uint8_t>(payload[1]));
    } else if (opcode == 2) {
      Binary(payload);
    }
    return true;
  }
  void Notice(const std::string& text) {
    if (text.find("\"op\":\"gap\"") == std::string::npos) return;
    for (std::size_t at = text.find("\"count\":"); at != std::string::npos; at = text.find("\"count\":", at + 1)) noticed += std::stoull(text.substr(at + 8));
  }
  void Binary(const std::string& payload) {
    ASSERT_GE(payload.size(), kEnvelopeSize);
    ASSERT_EQ(payload[0], 1);
    const auto kind = static_cast<FrameKind>(payload[1]);
    std::vector<std::uint64_t> aligned(payload.size() / 8 + 1);
    std::memcpy(aligned.data(), payload.data() + kEnvelopeSize, payload.size() - kEnvelopeSize);
    wire::BatchView batch;
    ASSERT_EQ(wire::BatchView::Parse({reinterpret_cast<const std::uint8_t*>(aligned.data()), payload.size() - kEnvelopeSize}, &batch), wire::BatchError::kNone);
    for (std::uint32_t i = 0; i < batch.size(); ++i) {
      auto& seen = streams[StreamOf(batch[i])];
      if (!seen.cursor.Accept(batch[i])) {
        ++repeats;
        continue;
      }
      if (kind == FrameKind::kSnapshot) {
        ++snapshots;
      } else {
        ++seen.delivered;
        ++delivered;
        if (seen.last == 0) seen.last = static_cast<std::uint64_t>(batch[i]->epoch) << 32;  // These streams begin with seq 1.
        if (batch[i]->position() > seen.last + 1) seen.holes += batch[i]->position() - seen.last - 1;
      }
      seen.last = batch[i]->position();
      if (batch[i]->type == RecordType::kTrade) seen.price = reinterpret_cast<const Trade*>(batch[i])->price;
    }
  }
  std::string pending_;
};

// Takes at most `most` bytes from the outbox, as a send would.
inline std::size_t Drain(Hub* hub, Client* client, Reader* reader, std::size_t most, std::uint64_t now_ns) {
  std::size_t taken = 0;
  while (taken < most && !client->outbox.empty()) {
    iovec piece{};
    client->outbox.Pieces(&piece, 1);
    const std::size_t take = std::min(most - taken, piece.iov_len);
    reader->Feed({static_cast<const char*>(piece.iov_base), take});
    client->outbox.Consume(take);
    taken += take;
    hub->OnDrained(client, now_ns);
  }
  return taken;
}

inline std::uint64_t NumberAfter(const std::string& text, const std::string& name) {
  const std::size_t at = text.find("\"" + name + "\":");
  return at == std::string::npos ? ~0ull : std::stoull(text.substr(at + name.size() + 3));
}

}  // namespace tw::fanout::test
