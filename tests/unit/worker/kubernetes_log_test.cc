// A log that is read in pieces is the log that was written.

#include "tests/support/catch.h"
#include "worker/launch/kubernetes/log_cursor.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace forebay::worker {
namespace {

using Line = std::pair<int64_t, std::string>;

std::string Stamp(int64_t second, int64_t nano) {
  return fmt::format("2026-01-02T03:04:{:02}.{:09}Z", second, nano);
}

// What a kubelet keeps, and answers from a second on.
struct Kubelet {
  std::vector<std::pair<std::pair<int64_t, int64_t>, std::string>> lines;

  std::string From(int64_t since_seconds) const {
    constexpr int64_t kMinute = 1767323040;  // 2026-01-02T03:04:00Z
    std::string answer;
    for (const auto& [time, text] : lines) {
      if (since_seconds > 0 && kMinute + time.first < since_seconds) continue;
      answer += Stamp(time.first, time.second) + " " + text + "\n";
    }
    return answer;
  }
  std::string Text() const {
    std::string all;
    for (const auto& [time, text] : lines) all += text + "\n";
    return all;
  }
};

Kubelet SomeLines() {
  Kubelet kubelet;
  for (int64_t i = 0; i < 40; ++i) {
    // Several of one time, several of one second, and seconds without any.
    kubelet.lines.push_back({{1 + i / 7 * 2, i / 3 * 1000}, fmt::format("line {} of the run", i)});
  }
  return kubelet;
}

TEST_CASE("no line is lost or doubled wherever a connection breaks", "[kubernetes]") {
  const Kubelet kubelet = SomeLines();
  const size_t length = kubelet.From(0).size();
  for (size_t first = 0; first < length; first += 7) {
    std::string taken;
    LogCursor cursor([&](int64_t, std::string_view bytes) { taken += bytes; });
    cursor.Restart();
    cursor.Feed(kubelet.From(0).substr(0, first));
    // A second one breaks too, then the rest comes.
    const std::string again = kubelet.From(cursor.since_seconds());
    cursor.Restart();
    cursor.Feed(again.substr(0, again.size() / 2));
    const std::string rest = kubelet.From(cursor.since_seconds());
    cursor.Restart();
    cursor.Feed(rest);
    REQUIRE(taken == kubelet.Text());
  }
}

TEST_CASE("lines are the same however the bytes arrive, with their times", "[kubernetes]") {
  const std::string answer =
      Stamp(5, 6000) + " one\n" + Stamp(5, 7000) + " \n" + Stamp(6, 0) + " three words here\n";
  for (size_t piece = 1; piece <= answer.size(); ++piece) {
    std::string taken;
    int64_t last = 0;
    LogCursor cursor([&](int64_t time, std::string_view bytes) {
      taken += bytes;
      last = time;
    });
    cursor.Restart();
    for (size_t at = 0; at < answer.size(); at += piece) cursor.Feed(answer.substr(at, piece));
    REQUIRE(taken == "one\n\nthree words here\n");
    CHECK(last == 1767323046000000);
  }
}

TEST_CASE("times that go back a little lose nothing", "[kubernetes]") {
  Kubelet kubelet;
  kubelet.lines = {{{3, 10}, "a"}, {{4, 10}, "b"}, {{3, 900}, "c"}, {{4, 5}, "d"}, {{4, 11}, "e"}};
  std::string taken;
  LogCursor cursor([&](int64_t, std::string_view bytes) { taken += bytes; });
  for (size_t lines = 1; lines <= kubelet.lines.size(); ++lines) {
    Kubelet so_far;
    so_far.lines.assign(kubelet.lines.begin(),
                        kubelet.lines.begin() + static_cast<ptrdiff_t>(lines));
    const std::string answer = so_far.From(cursor.since_seconds());
    cursor.Restart();
    cursor.Feed(answer);
  }
  CHECK(taken == "a\nb\nc\nd\ne\n");
}

TEST_CASE("after a rotation what is there is taken", "[kubernetes]") {
  std::string taken;
  LogCursor cursor([&](int64_t, std::string_view bytes) { taken += bytes; });
  cursor.Restart();
  cursor.Feed(Stamp(3, 1) + " a\n" + Stamp(3, 2) + " b\n" + Stamp(3, 3) + " cut off in the mid");
  cursor.Restart();
  cursor.Feed(Stamp(8, 1) + " later\n");
  CHECK(taken == "a\nb\ncut off in the mid\nlater\n");
}

TEST_CASE("the kubelet's own words are no output", "[kubernetes]") {
  std::string taken;
  LogCursor cursor([&](int64_t, std::string_view bytes) { taken += bytes; });
  cursor.Restart();
  cursor.Feed("unable to retrieve container logs for containerd://1\n" + Stamp(3, 1) + " a\n");
  cursor.Feed("averylongwordwithoutanyblanksthatisnotimeatallandgoeson\n");
  CHECK(taken == "a\n");
}

}  // namespace
}  // namespace forebay::worker
