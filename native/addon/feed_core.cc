#include "addon/feed_core.h"

#include <algorithm>

namespace tw::addon {
namespace {

constexpr std::size_t kSlice = 16u << 10;  // Between two looks at the ring: far fewer records than half of it holds.
constexpr std::size_t kPacedSlice = 512;   // Between two looks at the time.
constexpr std::size_t kListingsMax = 256u << 20;

}  // namespace

FeedCore::FeedCore(std::shared_ptr<BatcherHandle> batcher, const FeedCoreOptions& options)
    : batcher_(std::move(batcher)),
      options_(options),
      ring_(batcher_->batcher->Attach(options.ring)),
      filter_(options.scan ? static_cast<feed::RecordSink*>(&nowhere_) : ring_.get()),
      session_(options.session, &filter_),
      feed_(feed::MakeVenueFeed(options.venue, options.venue_options, &session_)) {
  if (feed_ != nullptr) player_ = std::make_unique<feed::CapturePlayer>(&session_, feed_.get());
  if (player_ != nullptr && options.scan) player_->KeepListings(kListingsMax);
}

bool FeedCore::AddInstrument(std::uint32_t id, std::string_view venue_symbol, std::uint64_t venue_key) {
  const Instrument* instrument = batcher_->instruments->Find(id);
  if (instrument == nullptr || stopped_) return false;
  session_.AddInstrument(instrument, venue_symbol, venue_key);
  ring_->List(id);
  return true;
}

void FeedCore::Push(std::span<const std::uint8_t> frame, feed::FrameKind kind, std::string_view about, std::uint64_t ts_recv) {
  if (stopped_ || feed_ == nullptr) return;
  session_.BeginFrame(ts_recv);
  if (recorder_ != nullptr) recorder_->Frame({session_.ts_recv(), kind, about, frame});
  feed_->OnFrame(frame, kind, about);
  ring_->Flush();
  if (options_.ring.live) {
    const std::uint64_t now = ring::WallNowNs();
    if (now > ts_recv) decode_ns_.Add(now - ts_recv);
  }
}

void FeedCore::Tick(std::uint64_t now) {
  if (stopped_) return;
  session_.Tick(now);
  ring_->Flush();
  if (recorder_ != nullptr) recorder_->Flush();
}

void FeedCore::Reconnect(std::uint32_t epoch) {
  if (stopped_) return;
  session_.NewEpoch(epoch);
  if (feed_ != nullptr) feed_->OnReconnect();
  if (recorder_ != nullptr) RecordOpening();
}

bool FeedCore::RecordTo(const std::string& path, std::string* error) {
  recorder_ = feed::CaptureFile::Open(path, error);
  if (recorder_ == nullptr) return false;
  RecordOpening();
  return true;
}

void FeedCore::RecordOpening() {
  recorder_->Opening({.ts_recv = std::max(session_.ts_recv(), ring::WallNowNs()),
                      .epoch = session_.epoch(),
                      .shard = options_.session.shard,
                      .source = options_.session.source,
                      .exchange = options_.exchange,
                      .venue = options_.venue});
}

bool FeedCore::AddLane(feed::CaptureFormat format) { return player_ != nullptr && player_->AddLane(format); }

bool FeedCore::OpenSource(std::unique_ptr<feed::RecordSource> source) {
  source_ = std::move(source);
  return source_ != nullptr;
}

std::size_t FeedCore::Chunk(std::size_t lane, std::span<const std::uint8_t> chunk, bool last, std::uint64_t until) {
  if (stopped_) return 0;
  const bool merging = source_ == nullptr && player_->lanes() > 1;
  if (merging) {  // Frames wait in the player until Pump.
    player_->Feed(lane, chunk, last);
    return chunk.size();
  }
  const std::size_t slice = until == feed::CapturePlayer::kNoLimit ? kSlice : kPacedSlice;
  std::size_t used = 0;
  do {
    if (used != chunk.size() && (!HasRoom() || session_.ts_recv() > until)) break;
    const std::size_t size = std::min(slice, chunk.size() - used);
    const bool end = last && used + size == chunk.size();
    if (source_ != nullptr) {
      source_->Feed(chunk.subspan(used, size), end);
    } else {
      player_->Feed(lane, chunk.subspan(used, size), end);
    }
    used += size;
  } while (used < chunk.size());
  ring_->Flush();
  return used;
}

bool FeedCore::Pump(std::uint64_t until) {
  if (stopped_ || player_ == nullptr) return false;
  const bool more = player_->Pump(until, [this] { return !HasRoom(); });
  ring_->Flush();
  return more;
}

bool FeedCore::Finish() {
  if (stopped_) return true;
  // Asked again until it is done, rather than blocking the event loop on a log that may be out of disk.
  if (ring_->options().policy == ring::Policy::kBlock && !HasRoom()) return false;
  ring_->Flush();
  const bool done = ring_->waiting() == 0 && session_.Finish();
  ring_->Flush();
  return done;
}

void FeedCore::Stop() {
  if (stopped_) return;
  stopped_ = true;
  recorder_.reset();
  ring_->Flush();
  batcher_->batcher->Detach(ring_);
}

}  // namespace tw::addon
