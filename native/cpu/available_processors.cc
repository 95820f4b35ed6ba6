#include "available_processors.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace efl::cpu {
namespace {

int32_t processors_to_run_on() {
#if defined(__linux__)
  // A machine may have more processors than cpu_set_t has bits; the system says so with an error.
  for (std::size_t count = 1024; count <= 1024 * 1024; count *= 4) {
    std::vector<unsigned char> room(CPU_ALLOC_SIZE(count) + alignof(cpu_set_t));
    const std::size_t misaligned =
        reinterpret_cast<std::uintptr_t>(room.data()) % alignof(cpu_set_t);
    auto* const set = reinterpret_cast<cpu_set_t*>(room.data() + alignof(cpu_set_t) - misaligned);
    if (sched_getaffinity(0, CPU_ALLOC_SIZE(count), set) == 0) {
      return CPU_COUNT_S(CPU_ALLOC_SIZE(count), set);
    }
  }
#endif
  return static_cast<int32_t>(std::thread::hardware_concurrency());
}

struct Close {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};

// The text of a file, empty where it cannot be read. Not by a stream: with those comes the whole of
// the C++ library's locales, a tenth of the addon.
std::string text_of(const std::string& path) {
  std::string text;
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "r"));
  char part[4096];
  while (file) {
    const std::size_t count = std::fread(part, 1, sizeof part, file.get());
    if (count == 0) break;
    text.append(part, count);
  }
  return text;
}

// The parts of a text between its separators.
std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find(separator, begin)) != std::string::npos; begin = end + 1) {
    parts.push_back(text.substr(begin, end - begin));
  }
  parts.push_back(text.substr(begin));
  return parts;
}

// Numbers of a file such as "150000 100000" or "max 100000"; none of those that are not.
std::vector<double> numbers_in(const std::string& path) {
  std::vector<double> numbers;
  const std::string text = text_of(path);
  const char* at = text.c_str();
  for (char* end; numbers.size() < 3; at = end) {
    // Not "max", and not the "inf" that strtod would take for a number.
    const char* const first = at + std::strspn(at, " \n");
    if (!std::isdigit(static_cast<unsigned char>(*first)) && *first != '-') break;
    numbers.push_back(std::strtod(first, &end));
  }
  return numbers;
}

// In processors; infinity where the files have no limit, or nothing that can be understood.
double ratio_of(const std::vector<double>& quota_and_period) {
  const bool limited =
      quota_and_period.size() == 2 && quota_and_period[0] > 0 && quota_and_period[1] > 0;
  return limited ? quota_and_period[0] / quota_and_period[1] : HUGE_VAL;
}

double quota_v2(const std::string& group) { return ratio_of(numbers_in(group + "/cpu.max")); }

double quota_v1(const std::string& group) {
  std::vector<double> numbers = numbers_in(group + "/cpu.cfs_quota_us");
  for (const double period : numbers_in(group + "/cpu.cfs_period_us")) numbers.push_back(period);
  return ratio_of(numbers);
}

// The least quota of a group and of those above it. In a container the mounted hierarchy may begin
// at its group, whatever path the system gives: groups that are not there have no quota.
double least_quota(double (*quota)(const std::string&), const std::string& mount,
                   std::string path) {
  double least = quota(mount);
  while (path.size() > 1) {
    least = std::min(least, quota(mount + path));
    path.erase(path.rfind('/'));
  }
  return least;
}

bool names_cpu(const std::string& controllers) {
  const std::vector<std::string> names = split(controllers, ',');
  return std::find(names.begin(), names.end(), "cpu") != names.end();
}

// One line of /proc/self/cgroup: "0::/group" of version 2, "4:cpu,cpuacct:/group" of version 1.
double quota_of_line(const std::string& root, const std::string& line) {
  const std::size_t first = line.find(':');
  const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
  if (second == std::string::npos || line.compare(second + 1, 1, "/") != 0) return HUGE_VAL;
  const std::string controllers = line.substr(first + 1, second - first - 1);
  const std::string path = line.substr(second + 1);
  const std::string mounts = root + "/sys/fs/cgroup";
  if (controllers.empty()) {
    return std::min(least_quota(quota_v2, mounts, path),
                    least_quota(quota_v2, mounts + "/unified", path));
  }
  if (!names_cpu(controllers)) return HUGE_VAL;
  return std::min(least_quota(quota_v1, mounts + "/cpu", path),
                  least_quota(quota_v1, mounts + "/" + controllers, path));
}

}  // namespace

int32_t processors_of_quota(const std::string& root) {
  double least = HUGE_VAL;
  for (const std::string& line : split(text_of(root + "/proc/self/cgroup"), '\n')) {
    least = std::min(least, quota_of_line(root, line));
  }
  constexpr double kMost = 1 << 20;
  return least < kMost ? static_cast<int32_t>(std::ceil(least)) : 0;
}

int32_t available_processors(const std::string& root) {
  const int32_t quota = processors_of_quota(root);
  const int32_t processors = std::max(1, processors_to_run_on());
  return quota > 0 ? std::min(quota, processors) : processors;
}

}  // namespace efl::cpu
