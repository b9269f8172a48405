// Coinbase Exchange's public WebSocket JSON: matches, ticker, level2, heartbeat. Reads one message, writes plain structs of the
// venue's own fields; texts point into the frame or, behind a fallback, into the decoder, until the next Decode. Allocates
// nothing once its buffers have grown.
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

struct CoinbaseMatch {  // "match" and "last_match"
  std::uint64_t trade_id = 0;
  std::uint64_t sequence = 0;
  std::string_view product_id, price, size, time;
  std::string_view side;  // The maker's: buy or sell.
  bool operator==(const CoinbaseMatch&) const = default;
};

struct CoinbaseTicker {
  std::uint64_t sequence = 0;
  std::uint64_t trade_id = 0;
  std::string_view product_id, price, last_size, time;
  std::string_view best_bid, best_bid_size, best_ask, best_ask_size;  // The sizes are missing in older recordings.
  bool operator==(const CoinbaseTicker&) const = default;
};

struct CoinbaseHeartbeat {
  std::uint64_t sequence = 0;
  std::uint64_t last_trade_id = 0;
  std::string_view product_id, time;
  bool operator==(const CoinbaseHeartbeat&) const = default;
};

struct CoinbaseChange {
  bool buy = false;
  LevelText level;
  bool operator==(const CoinbaseChange&) const = default;
};

struct CoinbaseLevel2 {  // "snapshot": levels in bids() and asks(); "l2update": changes()
  std::string_view product_id, time;
  bool operator==(const CoinbaseLevel2&) const = default;
};

enum class CoinbaseKind : std::uint8_t {
  kNone = 0,
  kMatch,
  kLastMatch,
  kTicker,
  kHeartbeat,
  kSnapshot,
  kL2Update,
  kSubscriptions,
  kError
};

class CoinbaseDecoder {
 public:
  CoinbaseDecoder();
  ~CoinbaseDecoder();
  // One message. kNone: reason() says why it was not taken.
  CoinbaseKind Decode(std::span<const std::uint8_t> frame);
  // The two ways alone, for tests. Scan: false when it met another byte. Parse: the general parser.
  bool Scan(std::span<const std::uint8_t> frame);
  bool Parse(std::span<const std::uint8_t> frame);

  CoinbaseKind kind() const { return kind_; }
  Reason reason() const { return reason_; }
  bool fell_back() const { return fell_back_; }
  const CoinbaseMatch& match() const { return match_; }
  const CoinbaseTicker& ticker() const { return ticker_; }
  const CoinbaseHeartbeat& heartbeat() const { return heartbeat_; }
  const CoinbaseLevel2& level2() const { return level2_; }
  std::span<const LevelText> bids() const { return bids_; }
  std::span<const LevelText> asks() const { return asks_; }
  std::span<const CoinbaseChange> changes() const { return changes_; }

 private:
  struct General;
  bool ScanMatch(Scanner& in);
  bool ScanTicker(Scanner& in);
  bool ScanHeartbeat(Scanner& in);
  bool ScanSnapshot(Scanner& in);
  bool ScanL2Update(Scanner& in);
  bool ScanLevels(Scanner& in, std::vector<LevelText>* levels);
  bool Refuse(Reason reason);

  CoinbaseKind kind_ = CoinbaseKind::kNone;
  Reason reason_ = Reason::kNone;
  bool fell_back_ = false;
  CoinbaseMatch match_;
  CoinbaseTicker ticker_;
  CoinbaseHeartbeat heartbeat_;
  CoinbaseLevel2 level2_;
  std::vector<LevelText> bids_, asks_;
  std::vector<CoinbaseChange> changes_;
  std::unique_ptr<General> general_;
};

}  // namespace tw::decode
