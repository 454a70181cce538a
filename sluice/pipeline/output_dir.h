// The folder a run writes: DIR is always one complete run. Everything goes to DIR.work/ first; commit() brings it to disk, writes the
// manifest last, and exchanges the two folders in one step of the file system. A run that fails removes DIR.work; one that is interrupted
// leaves there its checkpoints only. Two runs never write one DIR: the second ends with Error{kLocked}.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/pipeline/json.h"

namespace sluice {

class OutputDir {
 public:
  // Collective. Error{kUsage} when `dir` is not empty, was not written by us, and `overwrite` is not given.
  OutputDir(std::string dir, bool overwrite, Context& ctx);
  ~OutputDir();
  OutputDir(const OutputDir&) = delete;
  OutputDir& operator=(const OutputDir&) = delete;

  const std::string& dir() const { return dir_; }
  // Where the file `name` of this run is to be written.
  std::string path(const std::string& name) const { return work_ + "/" + name; }
  // A folder for files of this run that are not part of its result.
  std::string scratch() const { return work_ + "/.scratch"; }
  std::string checkpoints() const { return work_ + "/.checkpoints"; }

  // Rank 0: writes manifest.json over all files but run.json, and makes the folder DIR. `about` is the manifest without its "files".
  void commit(const Json& about);
  // Keeps the checkpoints for the next run.
  void keep_for_resume() { keep_ = true; }

 private:
  void open_work(bool overwrite);
  std::string dir_;
  std::string work_;
  Context* ctx_;
  int lock_ = -1;
  bool committed_ = false;
  bool keep_ = false;
};

// What differs between a folder and its manifest, one line each; empty: nothing. Error{kBadModel} without a readable manifest.
std::vector<std::string> verify_dir(const std::string& dir);

}  // namespace sluice
