// Times in text files: date and clock in a strptime-like format, or a number of units since midnight or the epoch.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "model/time_zone.h"

namespace tw::decode {

// Days since 1970-01-01 of a date of the Gregorian calendar. False: no such date, or outside 1900..2200.
bool DaysOf(int year, int month, int day, std::int64_t* days);

// %Y %y %m %d %b %H %M %S %f (1 to 9 digits) %z (Z, +05:30, +0530); any other byte stands for itself; ".%f" may be
// missing as a whole. `text` must be used up.
// Gives ns since the epoch in the text's own clock; *has_zone: %z was there and *ns is UTC already.
bool ParseTime(std::string_view text, std::string_view format, std::int64_t* ns, bool* has_zone);

// "34200.004241176" of 10^exponent seconds (0: s, -3: ms, -6: us, -9: ns) to ns, exactly.
bool ParseUnits(std::string_view text, int exponent, std::int64_t* ns);

}  // namespace tw::decode
