// What a venue's messages mean: one implementation per venue, between its pure decoder (native/decode) and the session.
// A feed keeps the state its venue needs (books, last cumulative values) per FeedInstrument::ordinal.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feed/session.h"

namespace tw::feed {

enum class FrameKind : std::uint8_t {
  kText = 1,    // A WebSocket text message, or one line of a capture.
  kBinary = 2,  // A WebSocket binary message.
  kRest = 3,    // The body of a REST answer; `about` is its URL, or empty when the capture does not say.
};

struct VenueOptions {
  std::uint32_t depth_levels = 0;  // Top-N image on each book change: 0 (none), 5, 10 or 20.
  bool book_levels = false;        // One level record per book change (data type `book`).
  bool trades = true;
  bool quotes = true;
  bool bars = false;               // The venue's own bars (klines), as records with basis trade and flag correction unset.
};

// Something only the adapter can do, asked for by the feed.
struct FeedRequest {
  enum class Kind : std::uint8_t { kSnapshot = 1, kResubscribe = 2 } kind;
  std::string venue_symbol;
};

struct BookStats {
  std::uint64_t checks = 0;      // Comparisons with the venue's own best bid and ask, or its checksum.
  std::uint64_t mismatches = 0;  // Of these, unequal: the book was quarantined.
  std::uint64_t resyncs = 0;     // Snapshots taken after the first.
  std::uint64_t quarantined = 0; // Books out of order right now.
};

class VenueFeed {
 public:
  virtual ~VenueFeed() = default;
  // One frame, after Session::BeginFrame. Any bytes: counted, never thrown.
  virtual void OnFrame(std::span<const std::uint8_t> frame, FrameKind kind, std::string_view about) = 0;
  // The connection was lost and came back (Session::NewEpoch was called): books start anew.
  virtual void OnReconnect() {}
  // What the adapter shall do now; emptied by the call.
  virtual std::vector<FeedRequest> TakeRequests() { return {}; }
  virtual BookStats book_stats() const { return {}; }
  // Text messages of the venue that are no market data (orders, errors, notices), at most 64 of 4 KB; emptied by the call.
  virtual std::vector<std::string> TakeTexts() { return {}; }
};

// Names: "kite", "dhan", "binance", "binance_usdm", "binance_coinm", "coinbase", "kraken". Null: no such venue.
std::unique_ptr<VenueFeed> MakeVenueFeed(std::string_view venue, const VenueOptions& options, Session* session);

// One per venue, each in its own file <venue>_feed.cc; MakeVenueFeed (venue_feed.cc) is their table.
std::unique_ptr<VenueFeed> MakeKiteFeed(const VenueOptions& options, Session* session);
std::unique_ptr<VenueFeed> MakeDhanFeed(const VenueOptions& options, Session* session);
std::unique_ptr<VenueFeed> MakeBinanceFeed(const VenueOptions& options, Session* session);  // Spot, USD-M and COIN-M speak one dialect.
std::unique_ptr<VenueFeed> MakeCoinbaseFeed(const VenueOptions& options, Session* session);
std::unique_ptr<VenueFeed> MakeKrakenFeed(const VenueOptions& options, Session* session);

}  // namespace tw::feed
