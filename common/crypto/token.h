#pragma once

// Opaque credentials: `<prefix>_<43 characters of base64url: 256 random bits><6 characters:
// checksum>`.
//
// The prefix names the kind, the checksum lets a scanner or a typing slip be told from a real
// credential without asking the server. Only the SHA-256 of the whole text is ever stored. Pure;
// thread-safe.

#include <optional>
#include <string>
#include <string_view>

#include "common/base/random.h"

namespace forebay {

enum class TokenKind { kUser, kWorker, kJoin, kTicket, kRun };

// "fbk", "fbw", "fbj", "fbt", "fbr".
std::string_view PrefixOf(TokenKind kind);
// A fresh secret of that kind.
std::string MintToken(TokenKind kind, Random& random);
// The kind, if the text is whole: known prefix, right length and alphabet, matching checksum.
std::optional<TokenKind> ParseTokenKind(std::string_view token);
// What is stored: SHA-256 of the text, 32 bytes.
std::string HashToken(std::string_view token);

}  // namespace forebay
