// The commands that take a table as it is, mixed columns and missing values included: profile, preprocess, init.
#pragma once
#include "sluice/core/model_file.h"
#include "sluice/core/table.h"
#include "sluice/pipeline/invocation.h"
#include "sluice/preprocess/scale.h"

namespace sluice {

Said profile_command(const Invocation& in, Context& ctx);
Said preprocess_command(const Invocation& in, Context& ctx);
// `apply` with a preprocessing model: what the fit did, drops included, to new rows.
Said apply_preprocess(const Invocation& in, const ModelFile& file, const std::string& digest, Context& ctx);
// Writes a pipeline file for the data to standard output (or --out FILE's folder is not made): every line says why.
Said init_command(const Invocation& in, Context& ctx);

// The columns of `table` that are features, as a table of their own, and what kind of rows they are.
Table feature_table(const Table& table, const InputOptions& options);
RowsKind rows_kind(const InputOptions& options);

}  // namespace sluice
