#pragma once

// How commands answer: data to standard output in the asked format, words to standard error.

#include <google/protobuf/timestamp.pb.h>

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "cli/output/listing.h"
#include "cli/session.h"

namespace forebay::cli {

// -o is a table, so that words and further tables may follow.
bool IsForPeople(const Session& session);
// A list; when it is empty, people are told `if_empty`.
absl::Status AnswerList(Session& session, const Listing& listing, std::string_view if_empty);
// One resource that was asked for.
absl::Status AnswerCard(Session& session, const Card& card);
// A change that was made: one sentence, and the resource for programs (-o json, yaml, name, csv).
absl::Status AnswerChange(Session& session, std::string_view sentence, const Card& card);

absl::Time TimeOf(const google::protobuf::Timestamp& stamp);
// The time as the user wants it; always in full for CSV. Empty when it is not set.
std::string When(Session& session, const google::protobuf::Timestamp& stamp);

}  // namespace forebay::cli
