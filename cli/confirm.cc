#include "cli/confirm.h"

#include <unistd.h>

#include <iostream>
#include <string>

#include "common/base/text.h"

namespace forebay::cli {

bool CanAsk() { return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1; }

bool Ask(std::string_view question) {
  std::cerr << question << std::flush;
  std::string answer;
  if (!std::getline(std::cin, answer)) {
    std::cerr << std::endl;
    return false;
  }
  const std::string word = ToLower(Trim(answer));
  return word == "y" || word == "yes";
}

}  // namespace forebay::cli
