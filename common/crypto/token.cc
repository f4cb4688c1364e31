#include "common/crypto/token.h"

#include <array>

#include "common/crypto/sha256.h"

namespace forebay {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr size_t kSecretChars = 43;
constexpr size_t kChecksumChars = 6;
constexpr std::array kKinds = {TokenKind::kUser, TokenKind::kWorker, TokenKind::kJoin,
                               TokenKind::kTicket, TokenKind::kRun};

// RFC 4648, section 5, without padding.
std::string Base64Url(std::string_view bytes) {
  std::string text;
  uint32_t buffer = 0;
  int bits = 0;
  for (const char c : bytes) {
    buffer = (buffer << 8) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) text += kAlphabet[(buffer >> (bits - 6)) & 0x3F];
  }
  if (bits > 0) text += kAlphabet[(buffer << (6 - bits)) & 0x3F];
  return text;
}

std::string Checksum(std::string_view body) {
  return Base64Url(Sha256(body)).substr(0, kChecksumChars);
}

}  // namespace

std::string_view PrefixOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kUser:
      return "fbk";
    case TokenKind::kWorker:
      return "fbw";
    case TokenKind::kJoin:
      return "fbj";
    case TokenKind::kTicket:
      return "fbt";
    case TokenKind::kRun:
      return "fbr";
  }
  return "";
}

std::string MintToken(TokenKind kind, Random& random) {
  std::string body = std::string(PrefixOf(kind)) + "_" + Base64Url(random.Bytes(32));
  return body + Checksum(body);
}

std::optional<TokenKind> ParseTokenKind(std::string_view token) {
  if (token.size() != 4 + kSecretChars + kChecksumChars || token[3] != '_') return std::nullopt;
  const std::string_view body = token.substr(0, token.size() - kChecksumChars);
  if (Checksum(body) != token.substr(body.size())) return std::nullopt;
  for (const TokenKind kind : kKinds) {
    if (token.substr(0, 3) == PrefixOf(kind)) return kind;
  }
  return std::nullopt;
}

std::string HashToken(std::string_view token) { return Sha256(token); }

}  // namespace forebay
