#include "worker/launch/process/format/control.h"

#include "common/base/text.h"

namespace forebay::holder {

std::string Serialize(const Command& command) {
  if (command.kind == Command::Kind::kGo) return "go";
  return "stop " + std::to_string(command.grace_millis);
}

std::optional<Command> ParseCommand(std::string_view packet) {
  if (packet == "go") return Command{Command::Kind::kGo, 0};
  constexpr std::string_view kStop = "stop ";
  if (!packet.starts_with(kStop)) return std::nullopt;
  const auto grace = ParseInt(packet.substr(kStop.size()));
  if (!grace.has_value() || *grace < 0) return std::nullopt;
  return Command{Command::Kind::kStop, *grace};
}

std::string Serialize(const Notice& notice) {
  return (notice.started ? "started " : "waiting ") + std::to_string(notice.log_lines);
}

std::optional<Notice> ParseNotice(std::string_view packet) {
  const auto words = Split(packet, ' ');
  if (words.size() != 2 || (words[0] != "started" && words[0] != "waiting")) return std::nullopt;
  const auto lines = ParseInt(words[1]);
  if (!lines.has_value()) return std::nullopt;
  return Notice{words[0] == "started", *lines};
}

}  // namespace forebay::holder
