// The files that say what a run was: summary.json (reproducible), run.json (times and machine), and the manifest's content.
#pragma once
#include <string>

#include "sluice/pipeline/input.h"
#include "sluice/pipeline/invocation.h"
#include "sluice/pipeline/output_dir.h"

namespace sluice {

std::string version();

// Resolved parameters as JSON; a parameter that names a file becomes that file's SHA-256.
Json params_json(const std::vector<ParamInfo>& infos, const std::map<std::string, std::string>& resolved);

// {"command", "version", "params", "input", "result"}.
Json summary_json(const std::string& command, const Json& params, const Dataset& data, const Json& result);

// The manifest without its list of files.
Json manifest_json(const Json& summary, const Context& ctx, const std::string& content, const RowAccount& account);

// Writes summary.json and run.json into the run's folder (rank 0). Time since the last lap of in.times counts as "write".
void write_record(const OutputDir& out, const Json& summary, const Invocation& in, Context& ctx);

}  // namespace sluice
