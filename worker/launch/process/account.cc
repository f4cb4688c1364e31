#include "worker/launch/process/account.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <vector>

#include "common/base/status.h"
#include "common/job_spec/job_fields.h"

namespace forebay::worker {
namespace {

std::optional<Account> LookUp(const std::string& user) {
  std::vector<char> buffer(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return std::nullopt;
  return Account{user, entry.pw_dir, entry.pw_shell, {entry.pw_uid, entry.pw_gid, {}}};
}

std::vector<gid_t> GroupsOf(const Account& account) {
  int count = 64;
  std::vector<gid_t> groups(static_cast<size_t>(count));
  // Answers -1 and the right count when there was too little room.
  if (::getgrouplist(account.name.c_str(), account.ids.gid, groups.data(), &count) < 0) {
    groups.resize(static_cast<size_t>(count));
    ::getgrouplist(account.name.c_str(), account.ids.gid, groups.data(), &count);
  }
  groups.resize(static_cast<size_t>(count));
  return groups;
}

}  // namespace

absl::StatusOr<std::optional<Account>> AccountFor(const std::string& user) {
  if (user.empty()) return std::optional<Account>();
  std::optional<Account> account = LookUp(user);
  if (!account.has_value()) return InvalidJob("user", user, "is no user of the worker's host");
  if (account->ids.uid == ::geteuid()) return std::optional<Account>();
  if (::geteuid() != 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "PERMISSION_DENIED")
        .Field("user", user)
        .Says("the worker is not root and cannot run a job as user '{}'", user);
  }
  account->ids.groups = GroupsOf(*account);
  return account;
}

}  // namespace forebay::worker
