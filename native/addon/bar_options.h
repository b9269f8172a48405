// Options of the bars aggregator out of a JavaScript object; shared by the fold and the processor.
#pragma once
#include <napi.h>

#include "bars/options.h"

namespace tw::addon {

// {intervalsMs, bases, latenessNs, partsIntervalMs, partsBasis, sessions: [{exchange, openS, closeS, transitions}]}.
// Throws a TypeError that names what is wrong.
bars::Options BarOptionsOf(const Napi::Value& value);
Napi::Object BarStatsOf(Napi::Env env, const bars::Stats& stats);

}  // namespace tw::addon
