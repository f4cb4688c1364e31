#include "tests/bench/options.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "common/base/text.h"

namespace forebay::bench {
namespace {

[[noreturn]] void Fail(const std::string& why) {
  std::cerr << why << std::endl;
  std::exit(2);
}

}  // namespace

Options::Options(int argc, char** argv) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (!name.starts_with("--") || i + 1 == argc)
      Fail(fmt::format("not an option with a value: {}", name));
    values_[std::string(name.substr(2))] = argv[i + 1];
  }
}

std::string Options::Text(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) Fail(fmt::format("--{} is missing", name));
  return found->second;
}

std::string Options::Text(std::string_view name, const std::string& fallback) const {
  return values_.contains(name) ? Text(name) : fallback;
}

int64_t Options::Number(std::string_view name, int64_t fallback) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return fallback;
  const auto number = ParseInt(found->second);
  if (!number) Fail(fmt::format("--{} is not a number: {}", name, found->second));
  return *number;
}

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) Fail(fmt::format("cannot read {}", path));
  return line;
}

}  // namespace forebay::bench
