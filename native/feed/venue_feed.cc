// The table of venues. CMake defines TW_VENUE_<NAME> for each <name>_feed.cc there is; a venue without its file is one that this
// build does not know.
#include "feed/venue_feed.h"

namespace tw::feed {
namespace {

using Make = std::unique_ptr<VenueFeed> (*)(const VenueOptions&, Session*);
struct Entry {
  std::string_view venue;
  Make make;
};

}  // namespace

std::unique_ptr<VenueFeed> MakeVenueFeed(std::string_view venue, const VenueOptions& options, Session* session) {
  static constexpr Entry kEntries[] = {
#ifdef TW_VENUE_KITE
      {"kite", MakeKiteFeed},
#endif
#ifdef TW_VENUE_DHAN
      {"dhan", MakeDhanFeed},
#endif
#ifdef TW_VENUE_BINANCE
      {"binance", MakeBinanceFeed},
      {"binance_usdm", MakeBinanceFeed},
      {"binance_coinm", MakeBinanceFeed},
#endif
#ifdef TW_VENUE_COINBASE
      {"coinbase", MakeCoinbaseFeed},
#endif
#ifdef TW_VENUE_KRAKEN
      {"kraken", MakeKrakenFeed},
#endif
      {"", nullptr},
  };
  for (const Entry& entry : kEntries) {
    if (entry.make != nullptr && entry.venue == venue) return entry.make(options, session);
  }
  return nullptr;
}

}  // namespace tw::feed
