// encodeBatch: records of one type as a batch message, for what TypeScript itself appends (gaps, status, tests).
#include "addon/log_parts.h"
#include "wire/batch.h"

namespace tw::addon {
namespace {

constexpr std::size_t kRecordsMax = 65536;

// encodeBatch(type, records: Uint8Array, tsAppend): Uint8Array; throws when the bytes are not whole records of the type.
Napi::Value EncodeBatch(const Napi::CallbackInfo& info) {
  const auto type = static_cast<RecordType>(WholeOf(info[0], "type", kRecordTypeMax));
  const auto records = BytesOf(info[1], "records");
  const std::size_t size = RecordSize(type);
  if (size == 0 || records.empty() || records.size() % size != 0 || records.size() / size > kRecordsMax) {
    throw Napi::TypeError::New(info.Env(), "records must be 1 to 65536 whole records of a known type");
  }
  wire::BatchBuilder builder(records.size() / size);
  builder.Begin(type, 0);
  alignas(8) std::uint8_t record[kRecordSizeMax];
  for (std::size_t at = 0; at < records.size(); at += size) {
    std::memcpy(record, records.data() + at, size);
    if (reinterpret_cast<const Header*>(record)->type != type || !builder.Add(record)) {
      throw Napi::TypeError::New(info.Env(), "a record's own type differs from the batch's");
    }
  }
  const auto bytes = builder.Finish(WholeOf(info[2], "tsAppend"));
  auto copy = Napi::Uint8Array::New(info.Env(), bytes.size());
  std::memcpy(copy.Data(), bytes.data(), bytes.size());
  return copy;
}

}  // namespace

void RegisterBatch(Napi::Env env, Napi::Object exports) {
  exports.Set("encodeBatch", Napi::Function::New(env, EncodeBatch, "encodeBatch"));
}

}  // namespace tw::addon
