#include "worker/launch/output/line_splitter.h"

#include "worker/launch/output/output_file.h"

namespace forebay::output {

size_t CutBetweenCharacters(std::string_view text, size_t most) {
  if (text.size() <= most) return text.size();
  constexpr size_t kLongestCharacter = 4;
  for (size_t cut = most; cut > most - kLongestCharacter; --cut) {
    if ((static_cast<unsigned char>(text[cut]) & 0xC0) != 0x80) return cut;
  }
  return most;
}

void LineSplitter::Feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (end != bytes.npos && pending_.empty() && piece.size() <= kMostLineBytes) {
      emit_(piece, false);
    } else {
      pending_.append(piece);
      CutLongLine();
      if (end != bytes.npos) {
        emit_(pending_, false);
        pending_.clear();
      }
    }
    bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
  }
}

void LineSplitter::CutLongLine() {
  size_t done = 0;
  while (pending_.size() - done > kMostLineBytes) {
    const std::string_view rest = std::string_view(pending_).substr(done);
    const size_t cut = CutBetweenCharacters(rest, kMostLineBytes);
    emit_(rest.substr(0, cut), true);
    done += cut;
  }
  pending_.erase(0, done);
}

void LineSplitter::Finish() {
  if (!pending_.empty()) emit_(pending_, false);
  pending_.clear();
}

}  // namespace forebay::output
