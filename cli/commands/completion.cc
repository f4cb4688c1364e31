#include <ostream>

#include "cli/commands/commands.h"
#include "cli/commands/complete.h"
#include "common/base/status.h"

namespace forebay::cli {
namespace {

constexpr char kBash[] =
    R"(# forebay completion for bash: source this, or put it into /etc/bash_completion.d
_forebay() {
  local IFS=$'\n' current="${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=($(forebay __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == __files__ ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -F _forebay forebay
)";

constexpr char kZsh[] = R"(#compdef forebay
# forebay completion for zsh: put it into a file _forebay on $fpath, or source it after compinit
_forebay() {
  local -a candidates
  candidates=("${(@f)$(forebay __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "${candidates[1]}" == __files__ ]]; then
    _files
  else
    compadd -- "${candidates[@]}"
  fi
}
compdef _forebay forebay
)";

constexpr char kFish[] =
    R"(# forebay completion for fish: put it into ~/.config/fish/completions/forebay.fish
function __forebay_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l candidates (forebay __complete -- $words[2..-1] 2>/dev/null)
  if test "$candidates" = __files__
    __fish_complete_path (commandline -ct)
  else
    printf '%s\n' $candidates
  end
end
complete -c forebay -f -a '(__forebay_complete)'
)";

absl::Status Completion(Session& session, const Arguments& arguments) {
  const std::string shell = arguments.Get("shell");
  session.out() << (shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish);
  return absl::OkStatus();
}

absl::Status CompleteWords(Session& session, const Arguments& arguments) {
  for (const std::string& candidate : Candidates(session, AllCommands(), arguments.command())) {
    session.out() << candidate << '\n';
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> CompletionCommands() {
  return {
      {"completion",
       "Print the completion script of a shell",
       {{"SHELL", "The shell", true, {"bash", "zsh", "fish"}}},
       {},
       false,
       false,
       Completion},
      {"__complete", "Print what may follow the words", {}, {}, true, true, CompleteWords},
  };
}

}  // namespace forebay::cli
