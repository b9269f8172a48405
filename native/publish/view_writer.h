// Data records of one partition as the open view: one message per record, key = symbol, value in the view's encoding.
// Gap, clock and status records are the engine's own and pass by.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <unordered_set>

#include "model/instrument.h"
#include "model/stream.h"
#include "publish/publisher.h"
#include "publish/writer.h"
#include "wire/avro.h"

namespace tw::publish {

enum class Encoding : std::uint8_t { kJson = 0, kAvro = 1, kRecord = 2 };

// By record type; depth5, depth10 and depth20 share one schema and have the same id. 0: no schema, such records are left out.
using SchemaIds = std::array<std::uint32_t, kRecordTypeMax + 1>;

inline bool IsViewed(RecordType type) { return HasStream(type) && type != RecordType::kGap && RecordSize(type) != 0; }

struct ViewOptions {
  Encoding encoding = Encoding::kJson;
  SchemaIds schema_ids{};  // With kAvro.
  std::uint32_t instrument_wait_ms = 2000;
};

class ViewWriter final : public Writer {
 public:
  // `partitions`: of the view.
  ViewWriter(Producer* producer, Topic* topic, std::uint32_t partitions, Flight* flight,
             std::shared_ptr<InstrumentTable> instruments, std::shared_ptr<WriterCounters> counters, const ViewOptions& options);
  ~ViewWriter() override = default;

  Result Take(const journal::MessageView& message, std::uint64_t now_ns) override;
  // Nothing is held back here: librdkafka gathers.
  Result Flush(std::uint64_t, bool) override { return Result::kTaken; }
  std::uint64_t due_ns() const override { return 0; }

 private:
  const Instrument* Find(std::uint32_t id, std::uint64_t now_ns, bool* waits);
  Result TakeRecord(const Header* record, std::size_t size, std::uint64_t now_ns);
  std::span<const std::uint8_t> Encode(const Header* record, std::size_t size, const Instrument& instrument);

  Producer* const producer_;
  Topic* const topic_;
  const std::uint32_t partitions_;
  Flight* const flight_;
  const std::shared_ptr<InstrumentTable> instruments_;
  const std::shared_ptr<WriterCounters> counters_;
  const ViewOptions options_;
  wire::AvroEncoder avro_;
  std::string json_;
  Parcel* parcel_ = nullptr;                   // Of the message that is being taken.
  std::uint32_t next_ = 0;                     // Its record at which Take goes on.
  std::uint64_t give_up_ns_ = 0;               // On the instrument that is waited for; 0: none is.
  std::unordered_set<std::uint32_t> unknown_;  // Waited for once, and not again.
};

}  // namespace tw::publish
