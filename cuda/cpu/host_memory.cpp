#include "host_memory.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace ffc {
namespace {

constexpr int64_t unlimited = std::numeric_limits<int64_t>::max();

// "" when there is no such file; "max" and numbers past int64 (how v1 spells "no limit") become `unlimited`.
int64_t readLimit(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  if (!(file >> word) || word == "max") return unlimited;
  errno = 0;
  const long long value = std::strtoll(word.c_str(), nullptr, 10);
  return errno || value < 0 ? unlimited : value;
}

// The folders of this process's control group for one controller, innermost first: version 2 (one tree) or version 1
// (one tree per controller). A limit may sit on any level, so all of them count.
std::vector<std::string> controlGroupFolders(const std::string& controller) {
  std::vector<std::string> folders;
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string hierarchy, controllers, path;
    std::getline(fields, hierarchy, ':');
    std::getline(fields, controllers, ':');
    std::getline(fields, path);
    std::string root;
    if (controllers.empty()) {
      root = "/sys/fs/cgroup";
    } else if (("," + controllers + ",").find("," + controller + ",") != std::string::npos) {
      root = "/sys/fs/cgroup/" + controller;
    } else {
      continue;
    }
    for (; path.size() > 1; path.erase(path.rfind('/'))) folders.push_back(root + path);
    folders.push_back(root);
  }
  return folders;
}

int64_t meminfoBytes(const std::string& text, const char* name) {
  const std::string key = std::string(name) + ":";
  const size_t at = text.find(key);
  return at == std::string::npos ? -1 : std::strtoll(text.c_str() + at + key.size(), nullptr, 10) * 1024;
}

}  // namespace

HostMemory hostMemory() {
  std::ifstream file("/proc/meminfo");
  std::stringstream content;
  content << file.rdbuf();
  const std::string text = content.str();
  HostMemory memory;
  memory.totalBytes = meminfoBytes(text, "MemTotal");
  if (memory.totalBytes < 0) memory.totalBytes = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  const int64_t free = meminfoBytes(text, "MemAvailable");
  memory.availableBytes = free < 0 ? memory.totalBytes : free;
  for (const std::string& folder : controlGroupFolders("memory")) {
    for (const auto& names : {std::pair<const char*, const char*>{"/memory.max", "/memory.current"},
                              {"/memory.limit_in_bytes", "/memory.usage_in_bytes"}}) {
      const int64_t limit = readLimit(folder + names.first);
      if (limit >= memory.totalBytes) continue;
      // What the group uses includes the page cache, which the kernel gives back under pressure; taken as used, it
      // could refuse what would fit. So the limit itself bounds a request, and the machine's free memory does.
      memory.totalBytes = limit;
      memory.availableBytes = std::min(memory.availableBytes, limit);
    }
  }
  return memory;
}

int usableCores() {
  int cores = 0;
  // Machines may have more cores than cpu_set_t has bits (1024): sched_getaffinity then says EINVAL.
  for (int bits = 1024; bits <= (1 << 20) && cores == 0; bits *= 2) {
    cpu_set_t* set = CPU_ALLOC(bits);
    if (!set) break;
    if (sched_getaffinity(0, CPU_ALLOC_SIZE(bits), set) == 0) cores = CPU_COUNT_S(CPU_ALLOC_SIZE(bits), set);
    CPU_FREE(set);
  }
  if (cores < 1) cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  for (const std::string& folder : controlGroupFolders("cpu")) {
    int64_t quota = unlimited, period = 0;
    std::ifstream two(folder + "/cpu.max");  // "max 100000" or "150000 100000"
    std::string word;
    if (two >> word >> period) {
      if (word != "max") quota = std::strtoll(word.c_str(), nullptr, 10);
    } else {
      quota = readLimit(folder + "/cpu.cfs_quota_us");  // -1: none
      period = readLimit(folder + "/cpu.cfs_period_us");
    }
    if (quota == unlimited || quota <= 0 || period <= 0 || period == unlimited) continue;
    // Rounded up: a quota of 1.5 cores is used better by two threads than by one.
    cores = static_cast<int>(std::min<int64_t>(cores, (quota + period - 1) / period));
  }
  return std::max(1, cores);
}

void checkHostHas(int64_t bytes, const char* what) { workersHostHas(1, bytes, what); }

int64_t workersHostHas(int64_t wanted, int64_t bytes, const char* what) {
  // Below this size the answer of malloc is good enough, and reading /proc would take longer than the allocation.
  constexpr int64_t checkedBytes = int64_t{16} << 20;
  if (wanted * bytes < checkedBytes) return wanted;
  const HostMemory memory = hostMemory();
  if (bytes > memory.availableBytes)
    throw Error(FFC_OUT_OF_MEMORY, std::string(what) + " of " + std::to_string(bytes) + " bytes: the host has " +
                                       std::to_string(memory.availableBytes) + " bytes available of " +
                                       std::to_string(memory.totalBytes));
  return std::min(wanted, memory.availableBytes / bytes);
}

HostBlock::HostBlock(MemoryLedger& ledger, int64_t bytes, const char* what) : ledger_(ledger), bytes_(bytes) {
  constexpr int64_t alignment = 64;
  checkHostHas(bytes, what);  // before the ledger: what was never there must not count as its peak
  ledger_.acquire(bytes);
  try {
    if (posix_memalign(&data_, alignment, static_cast<size_t>(std::max(bytes, int64_t{1}))) != 0)
      throw Error(FFC_OUT_OF_MEMORY,
                  std::string(what) + " of " + std::to_string(bytes) + " bytes: the host's allocator refused");
  } catch (...) {
    ledger_.release(bytes);
    throw;
  }
}

HostBlock::~HostBlock() {
  std::free(data_);
  ledger_.release(bytes_);
}

}  // namespace ffc
