#include "cli/commands/commands.h"

#include <iterator>

namespace forebay::cli {

const std::vector<Command>& AllCommands() {
  static const std::vector<Command> all = [] {
    std::vector<Command> commands;
    for (const auto& noun : {DevCommands,
                             InitCommands,
                             DeployCommands,
                             FlowCommands,
                             DeploymentCommands,
                             ScheduleCommands,
                             FlowRunCommands,
                             FlowRunChangeCommands,
                             EventCommands,
                             WorkPoolCommands,
                             WorkPoolPreviewCommands,
                             PolicyCommands,
                             WorkQueueCommands,
                             ConcurrencyLimitCommands,
                             WorkerCommands,
                             JobTemplateCommands,
                             ServerCommands,
                             DoctorCommands,
                             TokenCommands,
                             ConfigCommands,
                             VersionCommands,
                             CompletionCommands}) {
      auto made = noun();
      commands.insert(commands.end(), std::make_move_iterator(made.begin()),
                      std::make_move_iterator(made.end()));
    }
    return commands;
  }();
  return all;
}

}  // namespace forebay::cli
