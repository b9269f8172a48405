// Plays one recording, which may be several files, into a session: frames of all files in the order of their receive times.
// Reads chunks of the files (a lane each), writes through the venue's feed. One file is decoded straight from the chunk; of
// several, each lane keeps the frames of one chunk until the other lanes have caught up.
//
// Threads:    the session's.
// When full:  Pump stops when `full` says so and goes on where it stopped.
#pragma once
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "feed/capture.h"
#include "feed/session.h"
#include "feed/venue_feed.h"

namespace tw::feed {

class CapturePlayer {
 public:
  CapturePlayer(Session* session, VenueFeed* feed) : session_(session), feed_(feed) {}
  CapturePlayer(const CapturePlayer&) = delete;
  CapturePlayer& operator=(const CapturePlayer&) = delete;

  // All lanes before the first Feed. False: unknown format.
  bool AddLane(CaptureFormat format);
  std::size_t lanes() const { return lanes_.size(); }

  // The next bytes of a lane's file. With one lane everything is played at once; with several, call Pump.
  void Feed(std::size_t lane, std::span<const std::uint8_t> chunk, bool last);
  static constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
  // Plays what is due up to and with `until`. True: stopped by `full` or `until`, there is more.
  bool Pump(std::uint64_t until, const std::function<bool()>& full);
  // The lane that must be fed before anything more can be played; -1: none (all ended, or frames are waiting).
  int wants() const;
  // Receive time of the next frame that waits; 0: none.
  std::uint64_t next() const;

  std::uint64_t frames() const { return frames_; }
  std::uint64_t openings() const { return openings_; }
  // From now on, what the recording lists is kept, at most this many bytes; without it listings are passed over.
  void KeepListings(std::size_t bytes_max) { listing_room_ = bytes_max; }
  const std::vector<std::string>& listings() const { return listings_; }
  const ReasonCounters& skipped() const { return skipped_; }

 private:
  struct Item {
    std::uint64_t order = 0;
    bool opening = false;
    CaptureFrame frame;  // Views are set when it is played.
    CaptureOpening session;
    std::string about;
    std::vector<std::uint8_t> bytes;
  };
  struct Lane : CaptureHandler {
    explicit Lane(CapturePlayer* owner) : player(owner) {}
    void OnOpening(const CaptureOpening& opening) override;
    void OnFrame(const CaptureFrame& frame) override;
    void OnSkipped(Reason reason) override { player->skipped_.Add(reason); }
    void OnListing(std::string_view text) override;
    CapturePlayer* player;
    std::unique_ptr<CaptureReader> reader;
    std::deque<Item> waiting;
    std::uint64_t order = 0;
    bool ended = false;
  };
  Lane* Earliest();
  void Play(const CaptureFrame& frame);
  void Play(const CaptureOpening& opening);

  Session* session_;
  VenueFeed* feed_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::uint64_t frames_ = 0;
  std::uint64_t openings_ = 0;
  ReasonCounters skipped_;
  std::vector<std::string> listings_;
  std::size_t listing_room_ = 0;
};

}  // namespace tw::feed
