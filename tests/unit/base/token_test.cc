#include "common/crypto/token.h"

#include <set>

#include "common/base/text.h"
#include "common/crypto/sha256.h"
#include "tests/support/catch.h"
#include "tests/support/seeded_random.h"

namespace forebay {
namespace {

constexpr TokenKind kKinds[] = {TokenKind::kUser, TokenKind::kWorker, TokenKind::kJoin,
                                TokenKind::kTicket, TokenKind::kRun};

TEST_CASE("SHA-256 agrees with the standard's examples") {
  CHECK(HexEncode(Sha256("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(HexEncode(Sha256("")) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("Comparing in constant time still compares") {
  CHECK(ConstantTimeEquals("secret", "secret"));
  CHECK_FALSE(ConstantTimeEquals("secret", "secreT"));
  CHECK_FALSE(ConstantTimeEquals("secret", "secret "));
  CHECK(ConstantTimeEquals("", ""));
}

TEST_CASE("A minted token names its kind") {
  SeededRandom random(7);
  for (const TokenKind kind : kKinds) {
    const std::string token = MintToken(kind, random);
    CHECK(token.size() == 53);
    CHECK(std::string_view(token).substr(0, 3) == PrefixOf(kind));
    CHECK(ParseTokenKind(token) == kind);
  }
}

TEST_CASE("No two tokens are alike") {
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) tokens.insert(MintToken(TokenKind::kTicket, SystemRandom()));
  CHECK(tokens.size() == 100);
}

TEST_CASE("Any single changed character makes a token invalid") {
  SeededRandom random(8);
  const std::string token = MintToken(TokenKind::kUser, random);
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    INFO(i);
    CHECK_FALSE(ParseTokenKind(changed).has_value());
  }
}

TEST_CASE("What is no token has no kind") {
  SeededRandom random(9);
  const std::string token = MintToken(TokenKind::kUser, random);
  for (const std::string& text :
       {std::string(), std::string("fbk_"), token + "A", token.substr(1), " " + token}) {
    CHECK_FALSE(ParseTokenKind(text).has_value());
  }
}

TEST_CASE("The hash that is stored is that of the whole text") {
  CHECK(HashToken("fbk_x") == Sha256("fbk_x"));
  CHECK(HashToken("fbk_x").size() == 32);
}

}  // namespace
}  // namespace forebay
