#pragma once

// Cuts a stream of bytes into lines.

#include <functional>
#include <string>
#include <string_view>

namespace forebay::output {

// One stream's. Keeps at most kMostLineBytes (output_file.h); a longer line comes in parts,
// cut between characters where it is UTF-8.
class LineSplitter {
 public:
  // `partial`: the line goes on. The text is valid during the call.
  using Emit = std::function<void(std::string_view text, bool partial)>;
  explicit LineSplitter(Emit emit) : emit_(std::move(emit)) {}

  void Feed(std::string_view bytes);
  // The stream has ended; what came without a line feed is a line too.
  void Finish();

 private:
  void CutLongLine();

  Emit emit_;
  std::string pending_;
};

// At most `most` bytes of the front of `text`, not inside a UTF-8 character. Positive for most
// >= 4.
size_t CutBetweenCharacters(std::string_view text, size_t most);

}  // namespace forebay::output
