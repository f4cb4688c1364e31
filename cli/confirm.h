#pragma once

// Questions to the user.

#include <string_view>

namespace forebay::cli {

// Somebody can see the question and type the answer: standard input and error are a terminal.
bool CanAsk();
// Asks on standard error. True for "y" and "yes"; false for all else, the end of the input
// included.
bool Ask(std::string_view question);

}  // namespace forebay::cli
