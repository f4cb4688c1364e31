#include "worker/launch/engine_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "absl/time/time.h"
#include "common/base/text.h"

namespace forebay::worker {
namespace {

// A shell, and the engine, tell a signal so.
constexpr int kSignalBase = 128;
constexpr int kMostSignals = 64;
constexpr int kKill = 9;

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool HasAny(std::string_view text, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    if (Has(text, part)) return true;
  }
  return false;
}

}  // namespace

ExitRecord EndByCode(int code) {
  ExitRecord end;
  end.exit_code = code;
  end.reason = "EXITED";
  if (code > kSignalBase && code <= kSignalBase + kMostSignals) {
    end.signal = code - kSignalBase;
    end.reason = "SIGNALED";
    end.message = fmt::format("ended by signal {} ({}), exit code {}", end.signal,
                              ::strsignal(end.signal), code);
  } else if (code != 0) {
    end.message = fmt::format("exit code {}", code);
  }
  return end;
}

ExitRecord OutOfMemory() {
  ExitRecord end;
  end.exit_code = kKilledExitCode;
  end.reason = "OOM_KILLED";
  end.signal = kKill;
  end.message = fmt::format("the container ran out of memory, exit code {}", kKilledExitCode);
  return end;
}

std::string LaunchFailureOf(std::string_view engine_says) {
  const std::string text = ToLower(engine_says);
  if (Has(text, "no space left")) return "NO_SPACE";
  if (Has(text, "does not match the specified platform")) return "IMAGE_WRONG_PLATFORM";
  if (Has(text, "executable file not found") || Has(text, "no such file or directory: unknown") ||
      (Has(text, "stat ") && Has(text, "no such file"))) {
    return "COMMAND_NOT_FOUND";
  }
  if (Has(text, "permission denied")) return "PERMISSION_DENIED";
  return "INVALID_JOB";
}

PullFailure PullFailureOf(std::string_view engine_says) {
  const std::string text = ToLower(engine_says);
  if (HasAny(text, {"no space left"})) return {"NO_SPACE", false};
  // Before "not found", which the engine says then too.
  if (HasAny(text, {"no match for platform", "no matching manifest",
                    "does not match the specified platform"})) {
    return {"IMAGE_WRONG_PLATFORM", false};
  }
  if (HasAny(text, {"manifest unknown", "not found", "name unknown", "no such image",
                    "name_unknown", "manifest_unknown"})) {
    return {"IMAGE_NOT_FOUND", false};
  }
  if (HasAny(text, {"unauthorized", "denied", "forbidden", "authentication required",
                    "no basic auth", "incorrect username"})) {
    return {"IMAGE_UNAUTHORIZED", false};
  }
  if (HasAny(text, {"failed to register layer", "verification failed", "digest", "checksum"})) {
    return {"IMAGE_CORRUPT", false};
  }
  if (HasAny(text, {"timeout", "deadline exceeded", "timed out"})) {
    return {"IMAGE_PULL_TIMEOUT", true};
  }
  if (HasAny(text, {"invalid reference", "not a valid", "invalid repository"})) {
    return {"INVALID_JOB", false};
  }
  return {"REGISTRY_UNREACHABLE", true};
}

int64_t EngineTimeMicros(std::string_view text) {
  constexpr size_t kShortest = 20, kLongest = 40;
  if (text.size() < kShortest || text.size() > kLongest || text[4] != '-') return 0;
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, std::string(text), &time, &error)) return 0;
  return std::max<int64_t>(absl::ToUnixMicros(time), 0);
}

}  // namespace forebay::worker
