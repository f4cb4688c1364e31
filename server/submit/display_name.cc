#include "server/submit/display_name.h"

#include <array>

namespace forebay::server {
namespace {

constexpr std::array kQualities = {
    "amber",  "brisk", "calm",   "clear", "cool",   "crisp", "deep",  "eager", "early", "fair",
    "fleet",  "fresh", "gentle", "glad",  "golden", "grand", "green", "keen",  "kind",  "light",
    "lively", "lucky", "mellow", "misty", "nimble", "noble", "quick", "quiet", "rapid", "ready",
    "silver", "still", "sunny",  "swift", "tidal",  "tidy",  "warm",  "wide",  "wild",  "young"};
constexpr std::array kThings = {
    "alder",   "bank",  "beaver", "bridge", "brook",  "canal",  "carp",   "creek",
    "current", "dam",   "delta",  "dipper", "eddy",   "eel",    "fen",    "ferry",
    "ford",    "gate",  "grebe",  "harbor", "heron",  "island", "kelp",   "lagoon",
    "lake",    "marsh", "mill",   "otter",  "pike",   "pond",   "rapids", "reed",
    "ripple",  "river", "salmon", "sluice", "spring", "stream", "trout",  "weir"};

}  // namespace

std::string MakeDisplayName(Random& random) {
  return std::string(kQualities[random.Below(kQualities.size())]) + "-" +
         kThings[random.Below(kThings.size())];
}

}  // namespace forebay::server
