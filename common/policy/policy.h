#pragma once

// What may be launched in a pool: rules about the fields of the final spec
// (common/job_spec/final_spec.h), never about variables or templates.
//
// A policy is JSON with the key `rules`, a list of objects:
//
//     field           a field of the type's final spec, e.g. "image" or "limits.memory". Required.
//     name            for people; named in denials. Default: the field's name.
//     allow           list of values that may stand there: for text anchored globs (`*` stays
//     within
//                     what is between slashes, `**` does not, `?` is one character), else equal
//                     values. For lists and for the keys of objects each item must match one.
//                     Volumes match by what is mounted, or by source:target[:ro] if the glob has a
//                     colon. An empty list forbids the field altogether (false and absent stay
//                     allowed).
//     deny            the same, of values that may not.
//     max, min        of numbers; sizes may be written "2g". Absence and -1, where that means no
//                     limit, are above every max.
//     required        true: the field must be there.
//     include         list of items that the list must contain, e.g. cap_drop ALL.
//     require_digest  true, only for `image`: with a digest.
//     read_only       true, only for `volumes`: mounts must be read-only.
//
// All rules of a field must hold. A field without a rule that has `allow` keeps the built-in one of
// its type. A field that the type does not know is denied. Built in for docker: no privileges, no
// added capabilities, no host or foreign container's network, no host paths, no devices (gpus);
// everything else is free. Built in for kubernetes: no privileges, no added capabilities, nothing
// of the host (network, pid, ipc, ports), volumes only of the kinds of Pod Security "restricted",
// no unconfined profiles, no SELinux options, unmasked /proc or sysctls. Images match `allow` by
// their full name (docker.io/library/python:3.12), with or without the tag and digest: a glob
// without a tag allows every tag.
//
// The server decides a pool's policy when a run is created, the worker again before the launch, and
// the worker its own floor beside it. Pure; immutable, cheap to copy, thread-safe.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/job_template/rendered_job.h"
#include "common/json/json.h"

namespace forebay {

struct Denial {
  // The rule's name; "built-in" rules are named "built-in: <field>".
  std::string rule;
  // JSON pointer into the final spec, e.g. /volumes/0.
  std::string field;
  // Compact JSON, shortened; empty: absent.
  std::string value;
  // Who set it: "template", "default", "deployment", "run", "launcher", or "nobody" for what is
  // absent.
  std::string set_by;
  // What would do; may be empty.
  std::string allowed;
  // A sentence for people that says all of this.
  std::string message;
};

class Policy {
 public:
  // Blank text: the built-in rules alone. INVALID_ARGUMENT: INVALID_JSON; INVALID_POLICY (`field`
  // as policy.rules[2].allow, `value`, `nearest`, `allowed`) for unknown keys and fields, rules
  // that the field's type does not have, bad globs and sizes; UNKNOWN_POOL_TYPE.
  static absl::StatusOr<Policy> Parse(std::string_view pool_type, std::string_view text);

  // Nothing when all of it is allowed. `origins` as rendering told them.
  std::vector<Denial> Check(const Json& final_spec, const std::vector<LeafOrigin>& origins) const;

 private:
  struct Content;
  explicit Policy(std::shared_ptr<const Content> content) : content_(std::move(content)) {}

  std::shared_ptr<const Content> content_;
};

// PERMISSION_DENIED (POLICY_DENIED, `field`, `value`, `rule`, `set_by`, `allowed`) of the first
// denial, its message naming how many more there are. `whose`: "the policy of work pool 'x'", "the
// floor policy of this worker". There is at least one.
absl::Status DeniedBy(std::string_view whose, const std::vector<Denial>& denials);

}  // namespace forebay
