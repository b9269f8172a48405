// Records as JSON objects: prices and sizes as exact decimal strings, 64-bit integers as strings, enumerations by name,
// values that were not told as null. src/wire/decode.ts gives the same text; a test compares them for every type.
#pragma once
#include <string>

#include "model/instrument.h"
#include "model/record.h"

namespace tw::wire {

// Appends one object, no newline. A record of an instrument that is not in the table has symbol null and its raw
// integers, with "raw":true.
void AppendRecordJson(const void* record, const InstrumentTable& instruments, std::string* out);

// Appends the event id: t-{instrument}-{source}-{epoch}-{seq}, b-{instrument}-{source}-{interval ms}-{basis}-{start ms}-{version}.
// Clock and status records have none; nothing is appended.
void AppendEventId(const void* record, std::string* out);

}  // namespace tw::wire
