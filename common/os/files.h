#pragma once

// Small files and directories of our own. Every error carries the path; reasons as in
// errno_status.h. Thread-safe.

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace forebay {

// The whole file. FAILED_PRECONDITION (FILE_TOO_LARGE) beyond `most_bytes`. Reads /proc too, whose
// files have no size.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t most_bytes = 1 << 20);

struct WriteOptions {
  mode_t mode = 0600;
  // Whether the content survives a power cut once the call has returned.
  bool durable = false;
};
// Readers see the old content or the new one, never a part: written beside the path, then renamed
// over it. The directory must exist. On an error the old content stands.
absl::Status WriteFileAtomically(const std::string& path, std::string_view content,
                                 const WriteOptions& options = {});

// Makes the directory and its missing parents, 0700. OK when it exists.
absl::Status MakeDirectories(const std::string& path);
// Removes a file, or a directory with all below it; symbolic links are removed, not followed. OK
// when absent.
absl::Status RemoveTree(const std::string& path);
// Names in a directory, without "." and "..", sorted.
absl::StatusOr<std::vector<std::string>> ListDirectory(const std::string& path);
bool FileExists(const std::string& path);

}  // namespace forebay
