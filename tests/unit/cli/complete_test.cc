#include "cli/commands/complete.h"

#include <algorithm>
#include <sstream>

#include "cli/commands/commands.h"
#include "tests/support/catch.h"
#include "tests/support/fake_clock.h"

namespace forebay::cli {
namespace {

using Words = std::vector<std::string>;

Words CandidatesFor(const Words& words) {
  SessionOptions options;
  // Nothing listens on it, so that names are asked for and there are none.
  options.server = "127.0.0.1:1";
  options.config_directory = "/nonexistent";
  std::ostringstream out;
  const FakeClock clock;
  Session session(options, out, out, clock);
  return Candidates(session, AllCommands(), words);
}

bool Offers(const Words& words, const std::string& candidate) {
  const Words all = CandidatesFor(words);
  return std::find(all.begin(), all.end(), candidate) != all.end();
}

TEST_CASE("Nouns, verbs, options and choices are offered where they may stand") {
  CHECK(Offers({""}, "work-pool"));
  CHECK_FALSE(Offers({""}, "__complete"));
  CHECK(CandidatesFor({"work-q"}) == Words{"work-queue"});
  CHECK(CandidatesFor({"token", ""}) == Words{"create", "ls", "revoke"});
  CHECK(Offers({""}, "schedule"));
  CHECK(Offers({""}, "concurrency-limit"));
  CHECK(Offers({"schedule", "create", "f/d", "--"}, "--cron"));
  CHECK(Offers({"deploy", "--"}, "--version"));
  CHECK(CandidatesFor({"schedule", "create", "--catch-up", ""}) == Words{"all", "last", "skip"});
  CHECK(CandidatesFor({"deploy", "--collision", ""}) == Words{"enqueue", "cancel-new"});
  CHECK(Offers({"flow-run", "ls", "--state", "la"}, "late"));
  CHECK(Offers({"work-pool", "create", "--"}, "--type"));
  CHECK(Offers({"work-pool", "create", "--"}, "--output"));
  CHECK(CandidatesFor({"work-pool", "create", "--type", ""}) ==
        Words{"docker", "kubernetes", "process", "scripted"});
  CHECK(CandidatesFor({"work-pool", "ls", "-o", "j"}) == Words{"json"});
  CHECK(CandidatesFor({"completion", ""}) == Words{"bash", "zsh", "fish"});
}

TEST_CASE("Files are left to the shell") {
  CHECK(CandidatesFor({"deploy", "-f", ""}) == Words{kFilesCandidate});
  CHECK(CandidatesFor({"deploy", "--name", "x", "--", "pyth"}) == Words{kFilesCandidate});
}

TEST_CASE("Without a server there are no names, and no error") {
  CHECK(CandidatesFor({"work-pool", "inspect", ""}).empty());
  CHECK(CandidatesFor({"deployment", "run", "a/b", ""}).empty());
  CHECK(CandidatesFor({"nonsense", ""}).empty());
  CHECK(CandidatesFor({"config", "use", ""}).empty());
}

}  // namespace
}  // namespace forebay::cli
