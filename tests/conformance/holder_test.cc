// The holder's parts: what a line is, what is dropped, what is on the disk.

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "common/os/files.h"
#include "tests/conformance/scratch.h"
#include "tests/support/catch.h"
#include "worker/launch/output/line_splitter.h"
#include "worker/launch/output/output_writer.h"
#include "worker/launch/process/format/control.h"
#include "worker/launch/process/format/fields.h"
#include "worker/launch/process/format/holder_spec.h"
#include "worker/launch/process/format/status_file.h"
#include "worker/launch/process/holder/clock.h"

namespace forebay::holder {
namespace {

struct Line {
  std::string text;
  bool partial = false;
  bool operator==(const Line&) const = default;
};

std::vector<Line> SplitAll(const std::vector<std::string>& pieces) {
  std::vector<Line> lines;
  output::LineSplitter splitter([&lines](std::string_view text, bool partial) {
    lines.push_back({std::string(text), partial});
  });
  for (const std::string& piece : pieces) splitter.Feed(piece);
  splitter.Finish();
  return lines;
}

UniqueFd OpenForWriting(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

std::vector<output::OutputRecord> RecordsOf(const std::string& file) {
  std::vector<output::OutputRecord> records;
  std::string_view rest = file;
  while (auto record = output::FirstRecord(rest)) {
    records.push_back(*record);
    rest.remove_prefix(record->size());
  }
  CHECK(rest.empty());
  return records;
}

TEST_CASE("lines are the same however the bytes arrive") {
  const std::vector<Line> expected = {{"a", false}, {"", false}, {"bc", false}, {"d", false}};
  CHECK(SplitAll({"a\n\nbc\nd"}) == expected);
  CHECK(SplitAll({"a", "\n", "\nb", "c\n", "d"}) == expected);
  CHECK(SplitAll({"a\n\nb", "c", "\nd", ""}) == expected);
  CHECK(SplitAll({}).empty());
}

TEST_CASE("a long line is cut between characters") {
  std::string text = "x";
  while (text.size() < 2 * output::kMostLineBytes) text += "\xE2\x82\xAC";
  const auto lines = SplitAll({text + "\n"});
  REQUIRE(lines.size() == 3);
  std::string joined;
  for (size_t i = 0; i < lines.size(); ++i) {
    CHECK(lines[i].partial == (i + 1 < lines.size()));
    CHECK(lines[i].text.size() <= output::kMostLineBytes);
    CHECK((static_cast<unsigned char>(lines[i].text[0]) & 0xC0) != 0x80);
    joined += lines[i].text;
  }
  CHECK(joined == text);
}

TEST_CASE("a line of exactly the most bytes stays whole") {
  const std::string text(output::kMostLineBytes, 'x');
  CHECK(SplitAll({text + "\ny"}) == std::vector<Line>{{text, false}, {"y", false}});
  CHECK(SplitAll({text, "\n"}) == std::vector<Line>{{text, false}});
}

TEST_CASE("text that grows when repaired still fits its record") {
  Scratch scratch;
  const std::string path = scratch.File("output");
  output::OutputWriter writer(OpenForWriting(path), 0, 1, WallMicros);
  writer.Line(output::Stream::kStdout, std::string(output::kMostLineBytes, '\xFF'), false, 0);
  writer.Finish(0);
  const std::string file = *ReadSmallFile(path);
  size_t bytes = 0;
  for (const output::OutputRecord& record : RecordsOf(file)) {
    CHECK(record.text.size() <= output::kMostLineBytes);
    bytes += record.text.size();
  }
  CHECK(bytes == 3 * output::kMostLineBytes);
}

TEST_CASE("lines beyond the rate are dropped until a second's worth is free, and marked once") {
  Scratch scratch;
  const std::string path = scratch.File("output");
  output::OutputWriter writer(OpenForWriting(path), 100, 200, WallMicros);
  const int64_t now = SteadyMillis();
  const std::string line(49, 'x');
  for (int i = 0; i < 10; ++i) writer.Line(output::Stream::kStdout, line, false, now);
  CHECK(writer.dropping());
  writer.Line(output::Stream::kStdout, line, false, now + 900);
  CHECK(writer.dropping());
  writer.Line(output::Stream::kStdout, line, false, now + 1000);
  CHECK_FALSE(writer.dropping());
  writer.Finish(now + 1000);
  const std::string file = *ReadSmallFile(path);
  const auto records = RecordsOf(file);
  REQUIRE(records.size() == 6);
  CHECK(writer.lines() == 6);
  CHECK(records[4].header.stream == output::Stream::kSystem);
  CHECK(records[4].header.dropped_lines == 7);
  CHECK(records[4].text == "[forebay] 7 lines dropped: the run writes faster than 100 bytes/s");
  CHECK(records[5].text == line);
}

TEST_CASE("a full disk drops lines, and the gap is marked when there is space again") {
  Scratch scratch;
  const std::string path = scratch.File("output");
  UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  REQUIRE(full.ok());
  const int fd = full.get();
  const int64_t now = SteadyMillis();
  output::OutputWriter writer(std::move(full), 1 << 20, 1 << 20, WallMicros);
  writer.Line(output::Stream::kStdout, "lost", false, now);
  writer.Flush(now);
  writer.Line(output::Stream::kStderr, "lost too", false, now + 1);
  CHECK(writer.lines() == 0);
  writer.Tick(now + 2000);
  CHECK(writer.lines() == 0);

  REQUIRE(::dup2(OpenForWriting(path).get(), fd) == fd);
  writer.Tick(now + 4000);
  writer.Line(output::Stream::kStdout, "kept", false, now + 4000);
  writer.Finish(now + 4000);
  const std::string file = *ReadSmallFile(path);
  const auto records = RecordsOf(file);
  REQUIRE(records.size() == 2);
  CHECK(records[0].header.dropped_lines == 2);
  CHECK(records[0].text == "[forebay] 2 lines dropped: no space left on the worker's disk");
  CHECK(records[1].text == "kept");
}

TEST_CASE("a spec is read as it was written") {
  HolderSpec spec;
  spec.name = "forebay-x-1";
  spec.argv = {"sh", "-c", "echo 'a\nb'", ""};
  spec.environment = {"A=1", "B=two\nlines", "EMPTY="};
  spec.working_directory = "/tmp/with space";
  spec.user = UserIds{7, 8, {8, 9}};
  spec.limits = {1, int64_t{1} << 40, 64};
  spec.keep_output = false;
  spec.log_rate_bytes = 5;
  spec.log_burst_bytes = 6;
  spec.grace_millis = 30000;
  const std::string text = Serialize(spec);
  const auto read = ParseHolderSpec(text);
  REQUIRE(read.has_value());
  CHECK(Serialize(*read) == text);
  CHECK(read->argv == spec.argv);
  CHECK(read->user->groups == spec.user->groups);
  for (size_t cut = 0; cut < text.size(); ++cut) {
    const auto part = ParseHolderSpec(std::string_view(text).substr(0, cut));
    if (part.has_value()) CHECK(Serialize(*part) != text);
  }
}

TEST_CASE("a record of the status that is cut short counts for nothing") {
  EndRecord end;
  end.reason = "EXITED";
  end.exit_code = 3;
  end.max_rss_bytes = 4096;
  end.log_lines = 12;
  end.message = "two words\nand a line";
  const std::string whole =
      WaitingRecord({10, 100}) + GoingRecord() + StartedRecord({11, 110}) + ExitedRecord(end);
  const Status status = ParseStatus(whole + EmptyStatusFile());
  CHECK(status.phase == Phase::kExited);
  CHECK(status.holder.pid == 10);
  CHECK(status.child.start_time == 110);
  CHECK(status.end.exit_code == 3);
  CHECK(status.end.log_lines == 12);
  CHECK(status.end.message == "two words and a line");
  for (size_t cut = 1; cut <= ExitedRecord(end).size(); ++cut) {
    const std::string torn = whole.substr(0, whole.size() - cut) + EmptyStatusFile();
    const Phase phase = ParseStatus(torn).phase;
    CHECK((phase == Phase::kStarted || cut == 1));
  }
  CHECK(ParseStatus(EmptyStatusFile()).phase == Phase::kNone);
}

TEST_CASE("the longest end of a run fits the file that was reserved for it") {
  EndRecord end;
  end.reason = "NEVER_STARTED";
  end.launch_failure = "COMMAND_NOT_FOUND";
  end.message = std::string(100'000, 'm');
  const std::string whole = WaitingRecord({1 << 22, INT64_MAX}) + GoingRecord() +
                            StartedRecord({1 << 22, INT64_MAX}) + ExitedRecord(end);
  CHECK(whole.size() < kStatusFileSize);
}

TEST_CASE("what is said over the control socket is understood, and nothing else") {
  CHECK(ParseCommand(Serialize(Command{Command::Kind::kGo, 0}))->kind == Command::Kind::kGo);
  CHECK(ParseCommand(Serialize(Command{Command::Kind::kStop, 250}))->grace_millis == 250);
  CHECK(ParseNotice(Serialize(Notice{true, 42}))->log_lines == 42);
  for (const char* wrong : {"", "go ", "stop", "stop -1", "stop x", "started", "ended 1"}) {
    CHECK_FALSE(ParseCommand(wrong).has_value());
    CHECK_FALSE(ParseNotice(wrong).has_value());
  }
}

}  // namespace
}  // namespace forebay::holder
