// The venue's own trade numbers of one instrument, where they rise by one: a jump is a hole with an exact count, also across a
// reconnect.
#pragma once
#include <cstdint>

#include "feed/session.h"

namespace tw::feed {

class TradeIds {
 public:
  // Before the trade is emitted. Puts a gap record before it where numbers are missing. False: it was there before; counted.
  bool Accept(Session* session, FeedInstrument& instrument, std::uint64_t id, std::uint64_t ts_event) {
    if (known_) {
      if (id == last_ + 1) {
        if (reconnected_) session->Continuous(instrument, RecordType::kTrade);
      } else if (id > last_) {
        const GapCause cause = reconnected_ ? GapCause::kReconnect : GapCause::kVenueSequence;
        if (!reconnected_) session->Count(Reason::kSequence);
        session->EmitVenueGap(instrument, RecordType::kTrade, cause, id - last_ - 1, last_ + 1, id - 1);
      } else if (ts_event > ts_event_) {
        // A number from before with a later time: the venue counts anew (test networks do), how many are missing nobody knows.
        session->Count(Reason::kSequence);
        session->EmitVenueGap(instrument, RecordType::kTrade, GapCause::kVenueSequence, kUnknownCount, last_, id);
      } else {
        session->Count(Reason::kSequence);
        return false;
      }
    }
    Known(id, ts_event);
    return true;
  }
  // A number told without a live trade (the echo of the last one at subscribe): trades up to it are missing if any were.
  void Echo(Session* session, FeedInstrument& instrument, std::uint64_t id) {
    if (known_ && id > last_ && reconnected_) {
      session->EmitVenueGap(instrument, RecordType::kTrade, GapCause::kReconnect, id - last_, last_ + 1, id);
      reconnected_ = false;
    } else if (known_ && id <= last_) {
      return;
    }
    last_ = id;
    known_ = true;
  }
  void OnReconnect() { reconnected_ = known_; }

 private:
  void Known(std::uint64_t id, std::uint64_t ts_event) {
    last_ = id;
    ts_event_ = ts_event;
    known_ = true;
    reconnected_ = false;
  }
  std::uint64_t last_ = 0;
  std::uint64_t ts_event_ = 0;  // Of the last trade taken; 0: only echoes so far.
  bool known_ = false;
  bool reconnected_ = false;
};

}  // namespace tw::feed
