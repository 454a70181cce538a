#include "sluice/pipeline/record.h"

#include <unistd.h>

#include <algorithm>

#include "sluice/kernels/cpu.h"
#include "sluice/pipeline/files.h"

namespace sluice {

std::string version() {
  return SLUICE_VERSION;
}

Json params_json(const std::vector<ParamInfo>& infos, const std::map<std::string, std::string>& resolved) {
  Json out = Json::object();
  for (const auto& [name, text] : resolved) out[name] = Json::parse(text);
  for (const ParamInfo& info : infos) {
    if (!info.is_file || !out[info.name].is_string()) continue;
    const auto value = out[info.name].get<std::string>();
    if (value.empty() || std::find(info.choices.begin(), info.choices.end(), value) != info.choices.end()) continue;
    out[info.name] = "sha256:" + digest_file(value).sha256;
  }
  return out;
}

Json summary_json(const std::string& command, const Json& params, const Dataset& data, const Json& result) {
  return {{"command", command},
          {"version", version()},
          {"params", params},
          {"input", {{"rows", data.account.in}, {"columns", data.rows->cols()}}},
          {"result", result}};
}

Json manifest_json(const Json& summary, const Context& ctx, const std::string& content, const RowAccount& account) {
  return {{"sluice", summary["version"]},
          {"command", summary["command"]},
          {"params", summary["params"]},
          {"seed", ctx.seed},
          {"input", {{"content", content}, {"rows", summary["input"]["rows"]}, {"columns", summary["input"]["columns"]}}},
          {"rows", account.json()}};
}

void write_record(const OutputDir& out, const Json& summary, const Invocation& in, Context& ctx) {
  on_root(ctx, [&] {
    write_file(out.path("summary.json"), to_json_text(summary));
    char host[256] = "";
    ::gethostname(host, sizeof host - 1);
    in.times->lap("write");
    const std::chrono::duration<double> seconds = in.times->last - in.begun;
    Json stages = Json::object();
    for (const auto& [name, taken] : in.times->seconds) stages[name] = stages.value(name, 0.0) + taken;
    const Json run = {{"seconds", seconds.count()},   {"stages", stages},
                      {"peak_memory", peak_memory()}, {"host", host},
                      {"threads", ctx.threads},       {"ranks", ctx.ranks()},
                      {"memory", ctx.memory},         {"target", std::string(kernels::target_name())}};
    write_file(out.path("run.json"), to_json_text(run));
  });
}

}  // namespace sluice
