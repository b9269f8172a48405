// Follows one partition: whole, CRC-checked messages in offset order.
#pragma once
#include <deque>
#include <memory>

#include "journal/partition.h"

namespace tw::journal {

std::unique_ptr<Reader> MakeReader(std::shared_ptr<Partition> partition);

}  // namespace tw::journal
