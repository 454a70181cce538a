// The one exception type, and the exit codes of the failure contract.
// A message says what is wrong, `where` names the file, row, byte or parameter, `remedy` what to do about it.
#pragma once
#include <exception>
#include <string>

namespace sluice {

enum class ErrorCode : int {
  kUsage = 2,        // the command's words are wrong
  kBadInput = 3,     // the data is not what it says, or not usable as asked
  kIo = 4,           // the operating system refused
  kMemory = 5,       // more than the memory budget is needed
  kInterrupted = 6,  // stopped on request; the same command again ends with the same result
  kBadModel = 7,     // a model file or checkpoint is damaged or does not fit
  kNumerical = 8,    // the mathematics has no answer in double precision
  kRankFailed = 9,   // another rank died or stopped
  kLocked = 10,      // another run writes the same output
  kBug = 70,         // ours
};

struct Error : std::exception {
  ErrorCode code;
  std::string where;
  std::string message;
  std::string remedy;

  Error(ErrorCode code, std::string where, std::string message, std::string remedy)
      : code(code),
        where(std::move(where)),
        message(std::move(message)),
        remedy(std::move(remedy)),
        line_(this->where + ": " + this->message + "; " + this->remedy) {}

  // "WHERE: WHAT; REMEDY", one line.
  const char* what() const noexcept override { return line_.c_str(); }

 private:
  std::string line_;
};

[[noreturn]] inline void fail(ErrorCode code, std::string where, std::string message, std::string remedy) {
  throw Error(code, std::move(where), std::move(message), std::move(remedy));
}

}  // namespace sluice
