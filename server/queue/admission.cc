#include "server/queue/admission.h"

#include <algorithm>

namespace forebay::server {

std::vector<bool> Admit(const std::vector<std::vector<SlotScope>>& runs, SlotsLeft& left) {
  std::vector<bool> admitted;
  for (const std::vector<SlotScope>& takes : runs) {
    const bool fits = std::all_of(takes.begin(), takes.end(), [&](const SlotScope& scope) {
      const auto it = left.find(scope);
      return it == left.end() || it->second > 0;
    });
    admitted.push_back(fits);
    if (!fits) continue;
    for (const SlotScope& scope : takes) {
      if (const auto it = left.find(scope); it != left.end()) --it->second;
    }
  }
  return admitted;
}

}  // namespace forebay::server
