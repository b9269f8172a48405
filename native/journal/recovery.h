// Makes a partition's page again from its segments.
#pragma once
#include "journal/log.h"

namespace tw::journal {

class Partition;

// Under the partition's lock (or, read-only, into a private page). Frames count up to the first one that is not whole: after
// a power loss the last pages may be missing in any combination, and what stands behind a missing one was never
// acknowledged as durable. A stretch that is damaged but not missing (no page of zeros in it) with good frames behind it is
// a flipped bit: it is kept, and readers step over it.
Status Recover(Partition& partition);

}  // namespace tw::journal
