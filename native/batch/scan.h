// Reads what a log holds of one source, so that a replay can resume. One thread, the caller's; reads every batch of the topics.
#pragma once
#include <string>
#include <vector>

#include "feed/resume.h"
#include "journal/log.h"

namespace tw::batch {

feed::ResumeState ScanSource(const journal::Log& log, const std::vector<std::string>& topics, std::uint8_t source);

}  // namespace tw::batch
