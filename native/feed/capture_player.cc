#include "feed/capture_player.h"

#include <algorithm>

namespace tw::feed {

bool CapturePlayer::AddLane(CaptureFormat format) {
  auto lane = std::make_unique<Lane>(this);
  lane->reader = MakeCaptureReader(format, lane.get());
  if (lane->reader == nullptr) return false;
  lanes_.push_back(std::move(lane));
  return true;
}

void CapturePlayer::Feed(std::size_t lane, std::span<const std::uint8_t> chunk, bool last) {
  Lane& to = *lanes_.at(lane);
  if (to.ended) return;
  to.reader->Feed(chunk, last);
  to.ended = last;
  // What a feed asks of its adapter, nobody can do in a replay.
  if (lanes_.size() == 1) feed_->TakeRequests();
}

void CapturePlayer::Lane::OnOpening(const CaptureOpening& opening) {
  if (player->lanes_.size() == 1) return player->Play(opening);
  order = std::max(order, opening.ts_recv);
  Item& item = waiting.emplace_back();
  item.order = order;
  item.opening = true;
  item.session = opening;
  item.session.venue = {};
}

void CapturePlayer::Lane::OnFrame(const CaptureFrame& frame) {
  if (player->lanes_.size() == 1) return player->Play(frame);
  order = std::max(order, frame.ts_recv);
  Item& item = waiting.emplace_back();
  item.order = order;
  item.frame = frame;
  item.about = frame.about;
  item.bytes.assign(frame.bytes.begin(), frame.bytes.end());
}

void CapturePlayer::Lane::OnListing(std::string_view text) {
  if (text.size() > player->listing_room_) return;
  player->listing_room_ -= text.size();
  player->listings_.emplace_back(text);
}

void CapturePlayer::Play(const CaptureFrame& frame) {
  ++frames_;
  session_->BeginFrame(frame.ts_recv);
  feed_->OnFrame(frame.bytes, frame.kind, frame.about);
}

void CapturePlayer::Play(const CaptureOpening& opening) {
  ++openings_;
  if (session_->Open(opening.epoch)) feed_->OnReconnect();
}

CapturePlayer::Lane* CapturePlayer::Earliest() {
  Lane* first = nullptr;
  for (auto& lane : lanes_) {
    if (lane->waiting.empty()) {
      if (!lane->ended) return nullptr;
      continue;
    }
    if (first == nullptr || lane->waiting.front().order < first->waiting.front().order) first = lane.get();
  }
  return first;
}

bool CapturePlayer::Pump(std::uint64_t until, const std::function<bool()>& full) {
  std::size_t played = 0;
  bool more = false;
  for (Lane* lane = Earliest(); lane != nullptr; lane = Earliest()) {
    Item& item = lane->waiting.front();
    more = item.order > until || (++played % 32 == 0 && full && full());
    if (more) break;
    if (item.opening) {
      Play(item.session);
    } else {
      item.frame.about = item.about;
      item.frame.bytes = item.bytes;
      Play(item.frame);
    }
    lane->waiting.pop_front();
  }
  feed_->TakeRequests();
  return more;
}

int CapturePlayer::wants() const {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (!lanes_[i]->ended && lanes_[i]->waiting.empty()) return static_cast<int>(i);
  }
  return -1;
}

std::uint64_t CapturePlayer::next() const {
  std::uint64_t first = 0;
  for (const auto& lane : lanes_) {
    if (!lane->waiting.empty() && (first == 0 || lane->waiting.front().order < first)) first = lane->waiting.front().order;
  }
  return first;
}

}  // namespace tw::feed
