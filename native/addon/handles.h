// Objects one addon file makes and others use: each is a JavaScript object with a type tag around a shared_ptr.
#pragma once
#include <napi.h>

#include <memory>

#include "model/instrument.h"

namespace tw::journal {
class Log;
}

namespace tw::addon {

// Throws a TypeError when `value` is not the object; `what` names the argument.
std::shared_ptr<InstrumentTable> InstrumentsOf(const Napi::Value& value, const char* what);  // instruments.cc
std::shared_ptr<journal::Log> LogOf(const Napi::Value& value, const char* what);             // log.cc

}  // namespace tw::addon
