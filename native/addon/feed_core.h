// One feed without its JavaScript: session, venue, ring, recorder, capture. addon/feed.cc wraps it.
#pragma once
#include <memory>
#include <string>

#include "addon/feed_handles.h"
#include "feed/capture_player.h"
#include "feed/capture_recorder.h"
#include "feed/record_source.h"
#include "feed/resume.h"
#include "feed/session.h"
#include "feed/venue_feed.h"
#include "ring/wall_clock.h"

namespace tw::addon {

struct FeedCoreOptions {
  std::string venue;  // Empty: records come from a source (DBN, CSV), not from frames.
  feed::VenueOptions venue_options;
  feed::SessionOptions session;
  ring::FeedRingOptions ring;
  std::uint8_t exchange = 0;
  bool scan = false;  // Records go nowhere: only to learn which instruments a recording names.
};

class FeedCore {
 public:
  FeedCore(std::shared_ptr<BatcherHandle> batcher, const FeedCoreOptions& options);
  ~FeedCore() { Stop(); }
  bool known_venue() const { return options_.venue.empty() || feed_ != nullptr; }

  bool AddInstrument(std::uint32_t id, std::string_view venue_symbol, std::uint64_t venue_key);

  // Live.
  void Push(std::span<const std::uint8_t> frame, feed::FrameKind kind, std::string_view about, std::uint64_t ts_recv);
  void Tick(std::uint64_t now);
  void Reconnect(std::uint32_t epoch);
  bool RecordTo(const std::string& path, std::string* error);
  void StopRecording() { recorder_.reset(); }

  // Captures and files.
  bool AddLane(feed::CaptureFormat format);
  // Chunk may be called for that lane.
  bool HasLane(std::size_t lane) const { return source_ != nullptr || (player_ != nullptr && lane < player_->lanes()); }
  bool OpenSource(std::unique_ptr<feed::RecordSource> source);
  // Bytes used; the rest waits for room in the ring, or for its time.
  std::size_t Chunk(std::size_t lane, std::span<const std::uint8_t> chunk, bool last, std::uint64_t until);
  bool Pump(std::uint64_t until);

  bool Finish();
  void Stop();
  bool stopped() const { return stopped_; }
  bool flushed() const { return ring_->flushed() && ring_->waiting() == 0; }
  bool HasRoom() const { return ring_->depth() <= ring_->capacity() / 2; }

  const FeedCoreOptions& options() const { return options_; }
  feed::Session& session() { return session_; }
  feed::VenueFeed* venue() { return feed_.get(); }
  ring::FeedRing& ring() { return *ring_; }
  feed::CapturePlayer* player() { return player_.get(); }
  feed::ResumeFilter& filter() { return filter_; }
  feed::CaptureFile* recorder() { return recorder_.get(); }
  const ring::Histogram& decode_ns() const { return decode_ns_; }
  BatcherHandle& batcher() { return *batcher_; }

 private:
  void RecordOpening();

  const std::shared_ptr<BatcherHandle> batcher_;
  FeedCoreOptions options_;
  std::shared_ptr<ring::FeedRing> ring_;
  struct : feed::RecordSink {
    bool Push(const void*, std::size_t) override { return true; }
  } nowhere_;
  feed::ResumeFilter filter_;
  feed::Session session_;
  std::unique_ptr<feed::VenueFeed> feed_;
  std::unique_ptr<feed::CapturePlayer> player_;
  std::unique_ptr<feed::RecordSource> source_;
  std::unique_ptr<feed::CaptureFile> recorder_;
  ring::Histogram decode_ns_;
  bool stopped_ = false;
};

}  // namespace tw::addon
