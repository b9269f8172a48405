// A log engine for another addon: the C table of engine_c.h over a journal::Log.
//
// Threads:  those of journal::Log and its objects; the table itself is read-only.
// Errors:   every function catches all exceptions; what it then answers is kIoError, null or nothing.
#pragma once
#include <memory>

#include "journal/engine_c.h"
#include "journal/log.h"

namespace tw::journal {

// The caller holds one reference and gives it back with engine->release(engine->log); the table lives as long as the log
// is referenced.
const tw_engine* ExportEngine(std::shared_ptr<Log> log);

}  // namespace tw::journal
