#pragma once

// A directory that goes with the test.

#include <filesystem>
#include <string>

#include "common/os/files.h"
#include "tests/support/catch.h"

namespace forebay {

class Scratch {
 public:
  Scratch() : path_((std::filesystem::temp_directory_path() / "forebay-test-XXXXXX").string()) {
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
  }
  ~Scratch() { (void)RemoveTree(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace forebay
