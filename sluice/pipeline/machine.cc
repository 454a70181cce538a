#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "sluice/pipeline/invocation.h"

namespace sluice {

int64_t usable_memory() {
  int64_t bytes = static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream in(path);
    std::string text;
    if (in >> text) {
      if (const auto limit = parse_number<int64_t>(text); limit && *limit > 0) bytes = std::min(bytes, *limit);
    }
  }
  return bytes;
}

int usable_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

int64_t peak_memory() {
  // ru_maxrss also counts what the process was before exec, so the kernel's own mark comes first.
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("VmHWM:")) continue;
    const std::string digits =
        line.substr(line.find_first_of("0123456789"), line.find_last_of("0123456789") - line.find_first_of("0123456789") + 1);
    if (const auto kilobytes = parse_number<int64_t>(digits)) return *kilobytes * 1024;
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

}  // namespace sluice
