// Binance's public JSON, spot, USD-M and COIN-M: one dialect, bare or in a combined stream's envelope. Reads one WebSocket
// message or REST body, writes plain structs of the venue's own fields; texts point into the frame or, behind a fallback, into
// the decoder, until the next Decode. Allocates nothing once its buffers have grown to the largest frame.
//
// Threads: one decoder per thread. Nothing here knows instruments or time.
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

struct BinanceTrade {            // "trade"
  std::uint64_t event_time = 0;  // E
  std::uint64_t time = 0;        // T, ms or µs as all times here
  std::string_view symbol;       // s
  std::uint64_t id = 0;          // t
  std::string_view price;        // p
  std::string_view size;         // q
  std::string_view order_type;   // X, futures
  bool buyer_is_maker = false;   // m
  bool operator==(const BinanceTrade&) const = default;
};

struct BinanceAggTrade {  // "aggTrade"
  std::uint64_t event_time = 0;
  std::uint64_t time = 0;
  std::string_view symbol;
  std::uint64_t id = 0;        // a
  std::uint64_t first_id = 0;  // f
  std::uint64_t last_id = 0;   // l
  std::string_view price;
  std::string_view size;
  bool buyer_is_maker = false;
  bool operator==(const BinanceAggTrade&) const = default;
};

struct BinanceBookTicker {  // "bookTicker"; spot sends neither e nor a time
  std::uint64_t event_time = 0;
  std::uint64_t time = 0;
  std::uint64_t update_id = 0;  // u
  std::string_view symbol;
  std::string_view bid_price, bid_size, ask_price, ask_size;  // b B a A
  bool operator==(const BinanceBookTicker&) const = default;
};

struct BinanceDepth {  // "depthUpdate" and the REST or partial snapshot; levels stand in bids() and asks()
  std::uint64_t event_time = 0;
  std::uint64_t time = 0;
  std::string_view symbol;        // Empty in a spot snapshot.
  std::uint64_t first_id = 0;     // U
  std::uint64_t last_id = 0;      // u, or lastUpdateId
  std::uint64_t previous_id = 0;  // pu, futures
  bool has_previous_id = false;
  bool operator==(const BinanceDepth&) const = default;
};

struct BinanceKline {  // "kline"
  std::uint64_t event_time = 0;
  std::uint64_t start = 0, end = 0;  // t, T
  std::string_view symbol, interval;
  std::string_view open, close, high, low, volume, quote_volume, buy_volume, buy_quote_volume;  // o c h l v q V Q
  std::uint64_t trades = 0;                                                                     // n
  bool closed = false;                                                                          // x
  bool operator==(const BinanceKline&) const = default;
};

enum class BinanceKind : std::uint8_t {
  kNone = 0,
  kTrade,
  kAggTrade,
  kBookTicker,
  kDepthUpdate,
  kDepthSnapshot,
  kKline,
  kAnswer,
  kError
};

class BinanceDecoder {
 public:
  BinanceDecoder();
  ~BinanceDecoder();
  // One message. kNone: reason() says why it was not taken.
  BinanceKind Decode(std::span<const std::uint8_t> frame);
  // The two ways alone, for tests. Scan: false when it met another byte. Parse: the general parser.
  bool Scan(std::span<const std::uint8_t> frame);
  bool Parse(std::span<const std::uint8_t> frame);

  BinanceKind kind() const { return kind_; }
  Reason reason() const { return reason_; }
  bool fell_back() const { return fell_back_; }
  std::string_view stream() const { return stream_; }  // Empty in bare form.
  const BinanceTrade& trade() const { return trade_; }
  const BinanceAggTrade& agg_trade() const { return agg_trade_; }
  const BinanceBookTicker& book_ticker() const { return book_ticker_; }
  const BinanceDepth& depth() const { return depth_; }
  const BinanceKline& kline() const { return kline_; }
  std::span<const LevelText> bids() const { return bids_; }
  std::span<const LevelText> asks() const { return asks_; }

 private:
  struct General;
  TW_SCANNER_INLINE bool ScanMessage(Scanner& in);
  TW_SCANNER_INLINE bool ScanTrade(Scanner& in);
  bool ScanAggTrade(Scanner& in);
  bool ScanBookTicker(Scanner& in);
  bool ScanDepth(Scanner& in);
  bool ScanSnapshot(Scanner& in);
  bool ScanKline(Scanner& in);
  bool ScanLevels(Scanner& in, std::vector<LevelText>* levels);
  bool Refuse(Reason reason);

  BinanceKind kind_ = BinanceKind::kNone;
  Reason reason_ = Reason::kNone;
  bool fell_back_ = false;
  std::string_view stream_;
  BinanceTrade trade_;
  BinanceAggTrade agg_trade_;
  BinanceBookTicker book_ticker_;
  BinanceDepth depth_;
  BinanceKline kline_;
  std::vector<LevelText> bids_, asks_;
  LengthHint trade_hints_[8], agg_trade_hints_[10], book_ticker_hints_[9], level_hints_[2], stream_hint_;
  std::unique_ptr<General> general_;
};

}  // namespace tw::decode
