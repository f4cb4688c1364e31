#include "worker/launch/process/format/status_file.h"

#include <algorithm>
#include <vector>

#include "common/base/text.h"

namespace forebay::holder {
namespace {

constexpr std::string_view kEnd = " .\n";
constexpr size_t kMostMessage = 2048;

std::string Record(std::initializer_list<std::string> words) {
  std::string record;
  for (const std::string& word : words) record.append(record.empty() ? "" : " ").append(word);
  return record.append(kEnd);
}

std::string OrDash(const std::string& word) { return word.empty() ? "-" : word; }
std::string FromDash(std::string_view word) { return std::string(word == "-" ? "" : word); }

std::string OneLine(std::string_view message) {
  std::string line(message.substr(0, kMostMessage));
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

int64_t Number(std::string_view word) { return ParseInt(word).value_or(0); }

ProcessId ParseProcess(const std::vector<std::string_view>& words) {
  if (words.size() < 3) return {};
  return {static_cast<pid_t>(Number(words[1])), Number(words[2])};
}

// The message stands last and may hold spaces.
constexpr size_t kWordsBeforeMessage = 9;

EndRecord ParseEnd(std::string_view line, const std::vector<std::string_view>& words) {
  EndRecord end;
  if (words.size() <= kWordsBeforeMessage) return end;
  end.reason = std::string(words[1]);
  end.exit_code = static_cast<int>(Number(words[2]));
  end.signal = static_cast<int>(Number(words[3]));
  end.cpu_user_micros = Number(words[4]);
  end.cpu_system_micros = Number(words[5]);
  end.max_rss_bytes = Number(words[6]);
  end.log_lines = Number(words[7]);
  end.launch_failure = FromDash(words[8]);
  const auto at = static_cast<size_t>(words[kWordsBeforeMessage].data() - line.data());
  end.message = std::string(line.substr(at));
  return end;
}

void Apply(std::string_view line, Status& status) {
  const auto words = Split(line, ' ');
  if (words[0] == "waiting") {
    status.phase = Phase::kWaiting;
    status.holder = ParseProcess(words);
  } else if (words[0] == "going") {
    status.phase = Phase::kGoing;
  } else if (words[0] == "started") {
    status.phase = Phase::kStarted;
    status.child = ParseProcess(words);
  } else if (words[0] == "exited") {
    status.phase = Phase::kExited;
    status.end = ParseEnd(line, words);
  }
}

}  // namespace

std::string EmptyStatusFile() { return std::string(kStatusFileSize, '\n'); }

std::string WaitingRecord(const ProcessId& holder) {
  return Record({"waiting", std::to_string(holder.pid), std::to_string(holder.start_time)});
}

std::string GoingRecord() { return Record({"going"}); }

std::string StartedRecord(const ProcessId& child) {
  return Record({"started", std::to_string(child.pid), std::to_string(child.start_time)});
}

std::string ExitedRecord(const EndRecord& end) {
  return Record({"exited", end.reason, std::to_string(end.exit_code), std::to_string(end.signal),
                 std::to_string(end.cpu_user_micros), std::to_string(end.cpu_system_micros),
                 std::to_string(end.max_rss_bytes), std::to_string(end.log_lines),
                 OrDash(end.launch_failure), OneLine(end.message)});
}

Status ParseStatus(std::string_view file) {
  Status status;
  for (std::string_view line : Split(file, '\n')) {
    constexpr std::string_view kMark = kEnd.substr(0, 2);
    if (line.ends_with(kMark)) Apply(line.substr(0, line.size() - kMark.size()), status);
  }
  return status;
}

}  // namespace forebay::holder
