#pragma once

#include <string>
#include <string_view>

namespace forebay {

// The 32 bytes of SHA-256 (FIPS 180-4).
std::string Sha256(std::string_view data);
// Compares in time that depends on the lengths only.
bool ConstantTimeEquals(std::string_view a, std::string_view b);

}  // namespace forebay
