#pragma once

// `--name value` pairs of the load generators. The driver (scripts/bench) is their only caller, so
// a wrong one ends the process with a line on standard error.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace forebay::bench {

class Options {
 public:
  Options(int argc, char** argv);

  std::string Text(std::string_view name) const;
  std::string Text(std::string_view name, const std::string& fallback) const;
  int64_t Number(std::string_view name, int64_t fallback) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// The first line of a file.
std::string FirstLine(const std::string& path);

}  // namespace forebay::bench
