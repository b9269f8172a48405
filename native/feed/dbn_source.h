// A DBN file as records. Trades become trades, top-of-book records quotes, mbp-10 a depth10, bars bars when asked for; the
// book's own orders (mbo), definitions, statistics and the rest are counted as not market data of ours.
// Instruments are named by the file's own mappings (instrument id and date to symbol).
#pragma once
#include <memory>

#include "feed/record_source.h"
#include "feed/venue_feed.h"

namespace tw::feed {

// depth_levels 10 gives depth10 from mbp-10; trades, quotes and bars as in VenueOptions. The records carry receive times, so the
// session has has_receive_times; for a file of bars (no receive times) it has not.
std::unique_ptr<RecordSource> MakeDbnSource(const VenueOptions& options, Session* session);

// True: the file's metadata, at the start of `bytes`, says that its records carry no receive time (bars).
bool DbnLacksReceiveTimes(std::span<const std::uint8_t> bytes);

}  // namespace tw::feed
