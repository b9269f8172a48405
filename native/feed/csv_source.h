// A CSV file as records, by a program (decode/csv_program.h): no venue-specific code. The file has no receive times, so the
// session has none either (SessionOptions::has_receive_times = false).
// A row that cannot be read is counted under its reason and stepped over; a value that does not fit the instrument's
// exponents leaves a gap record. A header without a declared column ends the source: counted as unknown_type.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "feed/record_source.h"

namespace tw::feed {

// `program_json` is what src/ingestion/csv-options.ts compiled. Null: *error says what is wrong with it.
std::unique_ptr<RecordSource> MakeCsvSource(std::string_view program_json, Session* session, std::string* error);

}  // namespace tw::feed
