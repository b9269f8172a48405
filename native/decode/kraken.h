// Kraken's WebSocket v2 JSON: book with checksum, trade, heartbeat, status, answers. Reads one message, writes plain structs of
// the venue's own fields; numbers are kept as their text, because the book's checksum is over their digits. Texts point into the
// frame or, behind a fallback, into the decoder, until the next Decode. Allocates nothing once its buffers have grown.
//
// Threads: one decoder per thread. Nothing here knows instruments.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decode/json_scanner.h"
#include "model/reason.h"

namespace tw::decode {

struct KrakenTrade {
  std::string_view symbol, side, price, size, order_type, time;
  std::uint64_t trade_id = 0;
  bool operator==(const KrakenTrade&) const = default;
};

struct KrakenBook {
  std::string_view symbol, time;
  std::uint32_t bids = 0, asks = 0;  // How many of levels(), in turn, are this book's.
  std::uint32_t checksum = 0;
  bool has_checksum = false;
  bool operator==(const KrakenBook&) const = default;
};

struct KrakenAnswer {  // To subscribe and unsubscribe.
  bool success = false;
  std::string_view method, channel, symbol, error;
  std::uint64_t depth = 0;
  bool operator==(const KrakenAnswer&) const = default;
};

enum class KrakenKind : std::uint8_t { kNone = 0, kBook, kTrade, kHeartbeat, kStatus, kAnswer };

class KrakenDecoder {
 public:
  KrakenDecoder();
  ~KrakenDecoder();
  // One message. kNone: reason() says why it was not taken.
  KrakenKind Decode(std::span<const std::uint8_t> frame);
  // The two ways alone, for tests. Scan: false when it met another byte. Parse: the general parser.
  bool Scan(std::span<const std::uint8_t> frame);
  bool Parse(std::span<const std::uint8_t> frame);

  KrakenKind kind() const { return kind_; }
  Reason reason() const { return reason_; }
  bool fell_back() const { return fell_back_; }
  bool snapshot() const { return snapshot_; }  // type "snapshot"; else "update".
  std::span<const KrakenBook> books() const { return books_; }
  std::span<const LevelText> levels() const { return levels_; }
  std::span<const KrakenTrade> trades() const { return trades_; }
  const KrakenAnswer& answer() const { return answer_; }

 private:
  struct General;
  bool ScanBook(Scanner& in);
  bool ScanTrades(Scanner& in);
  bool ScanLevels(Scanner& in, std::uint32_t* count);
  bool Refuse(Reason reason);

  KrakenKind kind_ = KrakenKind::kNone;
  Reason reason_ = Reason::kNone;
  bool fell_back_ = false;
  bool snapshot_ = false;
  std::vector<KrakenBook> books_;
  std::vector<LevelText> levels_;
  std::vector<KrakenTrade> trades_;
  KrakenAnswer answer_;
  std::unique_ptr<General> general_;
};

}  // namespace tw::decode
