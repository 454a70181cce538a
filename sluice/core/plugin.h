// Opening a shared library of ours at its first use: what needs Arrow, MPI or the like stands in a library of its own, which the
// program does not link, so that a machine without them runs all the rest.
//
// A plug-in NAME is `libsluice_NAME.so` with one C function `sluice_plugin_NAME` that gives a table: a struct of C functions whose
// first member is the version of the table. No exception and no C++ type crosses it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

// Where a plug-in's file is looked for, best first: $SLUICE_PLUGIN_DIR (who names a folder means it), beside the program or the
// library this code stands in, and in their ../lib. What the loader finds by itself comes after these.
std::vector<std::string> plugin_folders();

// The table of plug-in `name`, whose version must be `version`; it stays open until the program ends.
// `need` is why it is asked for ("reading Parquet"), `remedy` what to install.
// Throws Error{kUsage} when there is no such library, or it is of another version; Error{kIo} when it can't be loaded.
const void* open_plugin(const std::string& name, uint32_t version, const std::string& need, const std::string& remedy);

// The same with its type: Table::kVersion, and `uint32_t version` as first member.
template <class Table>
const Table& plugin(const std::string& name, const std::string& need, const std::string& remedy) {
  return *static_cast<const Table*>(open_plugin(name, Table::kVersion, need, remedy));
}

}  // namespace sluice
