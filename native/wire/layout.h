// The layout of every record as JSON: sizes, offsets, kinds, enum values. TypeScript builds its views from it.
#pragma once
#include <string>

namespace tw::wire {
std::string LayoutJson();
}
