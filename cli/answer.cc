#include "cli/answer.h"

namespace forebay::cli {

bool IsForPeople(const Session& session) {
  return session.output().format == OutputFormat::kTable ||
         session.output().format == OutputFormat::kWide;
}

absl::Status AnswerList(Session& session, const Listing& listing, std::string_view if_empty) {
  PrintListing(listing, session.output(), session.out());
  if (listing.rows.empty() && IsForPeople(session)) session.Say(if_empty);
  return absl::OkStatus();
}

absl::Status AnswerCard(Session& session, const Card& card) {
  PrintCard(card, session.output(), session.out());
  return absl::OkStatus();
}

absl::Status AnswerChange(Session& session, std::string_view sentence, const Card& card) {
  session.Say(sentence);
  if (!IsForPeople(session)) PrintCard(card, session.output(), session.out());
  return absl::OkStatus();
}

absl::Time TimeOf(const google::protobuf::Timestamp& stamp) {
  return absl::FromUnixSeconds(stamp.seconds()) + absl::Nanoseconds(stamp.nanos());
}

std::string When(Session& session, const google::protobuf::Timestamp& stamp) {
  const bool csv = session.output().format == OutputFormat::kCsv;
  return FormatTime(TimeOf(stamp), session.clock().Now(),
                    csv ? TimeStyle::kIso : session.output().time);
}

}  // namespace forebay::cli
