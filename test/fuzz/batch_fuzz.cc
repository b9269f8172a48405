// Any bytes as a batch: the view is refused or lies inside the bytes, and every record in it can be written as JSON.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "model/instrument.h"
#include "wire/batch.h"
#include "wire/json.h"
#include "wire/record_hash.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The first byte chooses: raw bytes, or a real batch of a type with the rest of the input as its records.
  if (size < 2) return 0;
  std::vector<std::uint64_t> storage(size / 8 + 2);
  auto* bytes = reinterpret_cast<std::uint8_t*>(storage.data());
  tw::wire::BatchBuilder builder(64);
  std::span<const std::uint8_t> batch;
  const auto type = static_cast<tw::RecordType>(data[0] & 0x0f);
  if ((data[0] & 0x80) != 0 && tw::RecordSize(type) != 0) {
    builder.Begin(type, data[1]);
    const std::size_t record = tw::RecordSize(type);
    alignas(8) std::uint8_t one[tw::kRecordSizeMax];
    for (std::size_t at = 2; at + record <= size && !builder.full(); at += record) {
      std::memcpy(one, data + at, record);
      reinterpret_cast<tw::Header*>(one)->type = type;
      builder.Add(one);
    }
    batch = builder.Finish(1);
  } else {
    std::memcpy(bytes, data + 1, size - 1);
    batch = {bytes, size - 1};
  }
  tw::wire::BatchView view;
  if (tw::wire::BatchView::Parse(batch, &view) != tw::wire::BatchError::kNone) return 0;
  if (view.size() != 0 && (view.data() < batch.data() || view.data() + view.size() * view.record_size() > batch.data() + batch.size())) std::abort();
  static const tw::InstrumentTable kInstruments;
  tw::wire::RecordHash hash;
  std::string text;
  for (std::uint32_t i = 0; i < view.size(); ++i) {
    tw::wire::AppendRecordJson(view[i], kInstruments, &text);
    hash.Add(view[i]);
  }
  return 0;
}
