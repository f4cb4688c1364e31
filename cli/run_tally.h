#pragma once

// What a bulk command found and did, counted: of any number of runs it keeps their ids, 16 bytes
// each, and one count for each deployment and state. Pure.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "cli/output/listing.h"
#include "common/base/uuid.h"
#include "common/json/json.h"
#include "forebay/v1/flow_run.pb.h"

namespace forebay::cli {

// The runs that match.
class RunTally {
 public:
  static constexpr size_t kSamples = 10;

  // INTERNAL when the run's name holds no UUID.
  absl::Status Add(const v1::FlowRun& run);

  // In the order of Add.
  const std::vector<Uuid>& ids() const { return ids_; }
  // The first ones.
  const std::vector<v1::FlowRun>& samples() const { return samples_; }
  // How many of each deployment in each state, most first.
  Listing Groups() const;

 private:
  std::vector<Uuid> ids_;
  std::vector<v1::FlowRun> samples_;
  std::map<std::pair<std::string, std::string>, int64_t> groups_;
};

// What became of them.
class ChangeTally {
 public:
  void Change() { ++changed_; }
  void Refuse(const std::string& reason) { ++refused_[reason]; }

  int64_t changed() const { return changed_; }
  int64_t refused() const;
  // "12 cancelled, 3 refused (RUN_FINISHED 3)".
  std::string Text(std::string_view done) const;
  // {"cancelled": 12, "refused": {"RUN_FINISHED": 3}}.
  Json Value(const std::string& done) const;

 private:
  int64_t changed_ = 0;
  std::map<std::string, int64_t> refused_;
};

// "1 flow run", "2 flow runs".
std::string RunCount(int64_t count);

}  // namespace forebay::cli
