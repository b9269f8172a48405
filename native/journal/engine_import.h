// A log engine from another addon: a journal::Log over the C table of engine_c.h.
//
// Threads:  those of journal::Log and its objects.
// Cost:     one indirect call per message and no allocation; a MessageView is passed through and stays valid as the engine
//           says, at least until the Reader's next call.
#pragma once
#include <memory>
#include <string>

#include "journal/engine_c.h"
#include "journal/log.h"

namespace tw::journal {

// Takes a reference of its own. Null: *error says what is wrong with the table (another version, too small).
std::shared_ptr<Log> ImportEngine(const tw_engine* engine, std::string* error);

}  // namespace tw::journal
