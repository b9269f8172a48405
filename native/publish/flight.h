// What a partition of the log has handed to the brokers and what they have acknowledged: a queue of parcels in the order of
// the log. The position behind the acknowledged head is what may be committed.
//
// Threads:  one thread adds, one acknowledges, any thread reads.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>

namespace tw::publish {

class Flight;

// One message of the log, or a part of one, or several merged: `pieces` Kafka messages carry it. Stays where it is until all of
// them are acknowledged, so that it can travel through librdkafka as a message's opaque pointer.
struct Parcel {
  Flight* flight = nullptr;
  std::uint64_t next_offset = 0;  // Of the log: everything before it stands in this parcel or an earlier one.
  std::uint32_t records = 0;
  std::uint64_t sent_ns = 0;                  // When the round began in which it was sent.
  std::uint64_t ts_recv = 0;                  // Of the first record sent.
  std::atomic<std::uint64_t> ts_recv_max{0};  // Of all of them; raised while the first are reported.
  std::atomic<std::uint32_t> pieces{0};       // Not acknowledged yet.
};

class Flight {
 public:
  explicit Flight(std::uint64_t position) : acknowledged_(position) {}

  // With one piece more than will be sent: Close() takes it away, so that a parcel is never complete while it is being sent.
  Parcel* Open(std::uint64_t next_offset, std::uint32_t records, std::uint64_t now_ns) {
    const std::lock_guard lock(mutex_);
    Parcel& parcel = parcels_.emplace_back();
    parcel.flight = this;
    parcel.next_offset = next_offset;
    parcel.records = records;
    parcel.sent_ns = now_ns;
    parcel.pieces.store(1, std::memory_order_relaxed);
    size_.store(static_cast<std::uint32_t>(parcels_.size()), std::memory_order_release);
    return &parcel;
  }
  // The parcel may be gone afterwards.
  void Close(Parcel* parcel) {
    if (parcel->pieces.fetch_sub(1, std::memory_order_acq_rel) == 1) Advance();
  }
  // The newest parcel, of which nothing was sent.
  void Withdraw(Parcel* parcel) {
    const std::lock_guard lock(mutex_);
    if (&parcels_.back() != parcel) return;
    parcels_.pop_back();
    size_.store(static_cast<std::uint32_t>(parcels_.size()), std::memory_order_release);
  }
  // True: the parcel is complete.
  bool Acknowledge(Parcel* parcel, std::uint64_t now_ns) {
    const std::uint64_t sent_ns = parcel->sent_ns;
    if (parcel->pieces.fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
    const std::uint64_t took_ns = now_ns > sent_ns ? now_ns - sent_ns : 0;
    const std::uint64_t mean_ns = ack_ns_.load(std::memory_order_relaxed);
    ack_ns_.store(mean_ns == 0 ? took_ns : mean_ns - mean_ns / 8 + took_ns / 8, std::memory_order_relaxed);
    Advance();
    return true;
  }

  std::uint64_t acknowledged() const { return acknowledged_.load(std::memory_order_acquire); }
  // Of a parcel, from sending to acknowledgement: a moving mean; 0: not known yet.
  std::uint64_t ack_ns() const { return ack_ns_.load(std::memory_order_relaxed); }
  std::uint32_t size() const { return size_.load(std::memory_order_acquire); }

 private:
  void Advance() {
    const std::lock_guard lock(mutex_);
    while (!parcels_.empty() && parcels_.front().pieces.load(std::memory_order_acquire) == 0) {
      acknowledged_.store(parcels_.front().next_offset, std::memory_order_release);
      parcels_.pop_front();
    }
    size_.store(static_cast<std::uint32_t>(parcels_.size()), std::memory_order_release);
  }

  std::mutex mutex_;
  std::deque<Parcel> parcels_;  // Grows and shrinks at its ends only: parcels do not move.
  std::atomic<std::uint64_t> acknowledged_;
  std::atomic<std::uint32_t> size_{0};
  std::atomic<std::uint64_t> ack_ns_{0};
};

}  // namespace tw::publish
