// Records as Avro: the schemas of config/schema/avro in the registry's wire format, 0x00, schema id (big-endian u32), Avro
// binary. Field for field what scripts/avro-schemas.mjs makes of the record layout; a test decodes every type by those files.
//
// Threads:  an encoder belongs to one. Allocates only until its buffer has grown to the largest record.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/instrument.h"
#include "model/record.h"

namespace tw::wire {

class AvroEncoder {
 public:
  // The bytes of a data or gap record, valid until the next call; empty: a type without a schema.
  std::span<const std::uint8_t> Encode(const void* record, const Instrument& instrument, std::uint32_t schema_id);

 private:
  std::vector<std::uint8_t> buffer_;
  std::string id_;
};

}  // namespace tw::wire
