#pragma once

// Files that hold what is expected. FOREBAY_UPDATE_GOLDEN=1 in the environment rewrites them
// instead of comparing; look at the difference before you commit it.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace forebay {

inline std::filesystem::path GoldenDirectory() {
  return std::filesystem::path(FOREBAY_SOURCE_DIR) / "tests/golden";
}

inline std::string ReadGolden(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// What the file holds; after an update, `actual` itself.
inline std::string Golden(const std::filesystem::path& path, const std::string& actual) {
  if (std::getenv("FOREBAY_UPDATE_GOLDEN") != nullptr)
    std::ofstream(path, std::ios::binary) << actual;
  return ReadGolden(path);
}

}  // namespace forebay
