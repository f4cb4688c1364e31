#pragma once

// A preview on the wire. Pure.

#include "common/launch_plan/preview.h"
#include "forebay/v1/work_pool.pb.h"

namespace forebay {

void ToProto(const JobProblem& problem, v1::JobProblem& proto);
void ToProto(const Denial& denial, v1::PolicyDenial& proto);
// All but the pool.
v1::RenderJobResponse ToProto(const JobPreview& preview);

}  // namespace forebay
