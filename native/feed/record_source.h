// A stream of bytes that becomes records: a capture, a DBN file, a CSV file. Chunks may be cut anywhere; what is cut is kept
// until the rest comes. Reads bytes from whoever opens the file, pushes records through a Session.
//
// Threads:    one, the Session's.
// When full:  the Session's sink decides: a replay's sink blocks, so Feed returns when everything in the chunk was taken.
// Any bytes:  counted under a Reason in the Session, never thrown. Memory is bounded: a line or frame longer than
//             kSourceLineMax is skipped and counted (bad_length).
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "feed/session.h"

namespace tw::feed {

inline constexpr std::size_t kSourceLineMax = 16u << 20;  // A full REST book is below 2 MB.

class RecordSource {
 public:
  virtual ~RecordSource() = default;
  // The next bytes of the source. `last`: the source ends with them; an unfinished line or frame is then read as it stands.
  // Does not call Session::Finish: several sources may follow each other in one session.
  virtual void Feed(std::span<const std::uint8_t> chunk, bool last) = 0;
};

}  // namespace tw::feed
