// Appends to one partition. See log.h for what it answers.
#pragma once
#include <memory>

#include "journal/partition.h"

namespace tw::journal {

std::unique_ptr<Appender> MakeAppender(std::shared_ptr<Partition> partition, Durability durability, Status* status);

}  // namespace tw::journal
