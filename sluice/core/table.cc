#include "sluice/core/table.h"

#include <charconv>

#include "sluice/core/text.h"

namespace sluice {

int64_t Table::find(const std::string& name_or_number) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name_or_number) return static_cast<int64_t>(i);
  }
  int64_t number = 0;
  const char* end = name_or_number.data() + name_or_number.size();
  const auto [stop, error] = std::from_chars(name_or_number.data(), end, number);
  const auto count = static_cast<int64_t>(columns.size());
  if (error == std::errc() && stop == end && number >= -count && number < count) return number < 0 ? number + count : number;
  std::vector<std::string> names;
  for (const TableColumn& column : columns) names.push_back(column.name);
  const std::string near = closest(name_or_number, names);
  std::string known;
  for (size_t i = 0; i < columns.size() && i < 12; ++i) known += (i == 0 ? "" : ", ") + columns[i].name;
  if (columns.size() > 12) known += ", ...";
  fail(ErrorCode::kBadInput, "column " + name_or_number, "there is no such column",
       (near.empty() ? "" : "did you mean " + near + "? ") + ("the columns are " + known));
}

}  // namespace sluice
