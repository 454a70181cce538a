// From an outcome to its page: which sections a kind of result gets, and the few lines a person reads in the terminal.
#pragma once
#include <string>

#include "sluice/core/outcome.h"
#include "sluice/pipeline/algorithm_command.h"
#include "sluice/pipeline/input.h"
#include "sluice/report/report.h"

namespace sluice {

// Collective: reads some rows. Sections: key figures, scatter, sizes, tree, scores, tables and figures of the
// algorithm, centres, parameters, row account.
Report page_of(const Outcome& outcome, const std::string& command, const Json& summary, const Dataset& data, Context& ctx);

// The centres as a table, the first columns of them.
ReportTable centers_table(const Matrix<double>& centers, const Source& rows);

// Rank 0: adds the hashes of summary.json and the model, and writes report.html into the folder.
void write_page(Report page, const std::string& folder);

std::string text_of(const Stage& stage, const std::string& dir);

}  // namespace sluice
