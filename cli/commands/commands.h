#pragma once

// All commands, one function a noun.

#include <vector>

#include "cli/command.h"

namespace forebay::cli {

std::vector<Command> DevCommands();
std::vector<Command> InitCommands();
std::vector<Command> DeployCommands();
std::vector<Command> FlowCommands();
std::vector<Command> DeploymentCommands();
std::vector<Command> ScheduleCommands();
std::vector<Command> FlowRunCommands();
// cancel, retry, pause, resume, delete.
std::vector<Command> FlowRunChangeCommands();
std::vector<Command> EventCommands();
std::vector<Command> ConcurrencyLimitCommands();
std::vector<Command> WorkPoolCommands();
std::vector<Command> WorkPoolPreviewCommands();
std::vector<Command> PolicyCommands();
std::vector<Command> JobTemplateCommands();
std::vector<Command> DoctorCommands();
std::vector<Command> WorkQueueCommands();
std::vector<Command> WorkerCommands();
std::vector<Command> ServerCommands();
std::vector<Command> TokenCommands();
std::vector<Command> ConfigCommands();
std::vector<Command> VersionCommands();
std::vector<Command> CompletionCommands();

// In the order of help.
const std::vector<Command>& AllCommands();

}  // namespace forebay::cli
