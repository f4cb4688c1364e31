#include "common/policy/glob.h"

#include <vector>

namespace forebay {

// Position by position of the glob, which lengths of text it can have used: no going back, so that
// no glob takes long.
bool GlobMatches(std::string_view glob, std::string_view text) {
  std::vector<char> reached(text.size() + 1, 0);
  reached[0] = 1;
  for (size_t at = 0; at < glob.size(); ++at) {
    std::vector<char> next(text.size() + 1, 0);
    const bool star = glob[at] == '*';
    const bool any = star && at + 1 < glob.size() && glob[at + 1] == '*';
    if (any) ++at;
    for (size_t used = 0; used <= text.size(); ++used) {
      if (star) {
        const bool extends = used > 0 && next[used - 1] != 0 && (any || text[used - 1] != '/');
        next[used] = static_cast<char>(reached[used] != 0 || extends);
      } else if (used > 0 && reached[used - 1] != 0) {
        const char c = text[used - 1];
        next[used] = static_cast<char>(glob[at] == '?' ? c != '/' : c == glob[at]);
      }
    }
    reached = std::move(next);
  }
  return reached[text.size()] != 0;
}

}  // namespace forebay
