#include "common/config/help.h"

#include <fmt/format.h>
#include "common/base/text.h"
#include "common/config/fields.h"

namespace forebay {
namespace {

// The comment lines above the field's declaration. The compiled descriptor has none, and our own
// files are plain enough to be read line by line.
std::string CommentOf(std::string_view proto_text, const std::string& field) {
  std::string comment;
  const std::string declares = fmt::format(" {} = ", field);
  for (std::string_view line : Split(proto_text, '\n')) {
    line = Trim(line);
    if (line.starts_with("//")) {
      comment += fmt::format("      {}\n", Trim(line.substr(2)));
    } else if (line.find(declares) != std::string_view::npos) {
      return comment;
    } else {
      comment.clear();
    }
  }
  return "";
}

}  // namespace

std::string HelpText(const ConfigSources& sources, const google::protobuf::Descriptor& message) {
  std::string text = fmt::format(
      "{}: {}\n\nEach setting is a flag, an environment variable {}NAME, or a key of the file "
      "given with --config.\n"
      "Flags win over the environment, the environment over the file.\n\n"
      "  --config FILE\n      YAML file with the keys below, written with underscores.\n"
      "  --help\n  --version\n",
      sources.program, sources.summary, sources.environment_prefix);
  for (int i = 0; i < message.field_count(); ++i) {
    const auto& field = *message.field(i);
    text += fmt::format("  --{} <{}>\n", ReplaceAll(field.name(), "_", "-"), FieldTypeName(field));
    text += CommentOf(sources.proto_text, field.name());
  }
  return text;
}

}  // namespace forebay
