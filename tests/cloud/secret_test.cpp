#include "cloud/signing/secret.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <ostream>
#include <type_traits>

#include "cloud/signing/digest.hpp"

namespace plume::cloud {
namespace {

template <class T>
concept Printable = requires(std::ostream& stream, const T& value) {
  stream << value;
};

TEST(Secret, CannotBePrinted) {
  static_assert(Printable<std::string>);
  static_assert(!Printable<Secret>);
  static_assert(!fmt::is_formattable<Secret>::value);
  static_assert(!std::is_convertible_v<Secret, std::string>);
}

TEST(Secret, OverwritesItsMemory) {
  std::string text = "sesame, open";
  char* const memory = text.data();
  wipe(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(std::string_view(memory, 12), std::string_view("\0\0\0\0\0\0\0\0\0\0\0\0", 12));
}

TEST(Secret, TakesAStringWithoutLeavingIt) {
  std::string text = "sesame, open";
  const char* const memory = text.data();
  const Secret secret = Secret::take(std::move(text));
  EXPECT_EQ(secret.reveal(), "sesame, open");
  EXPECT_EQ(memory[0], '\0');  // NOLINT(bugprone-use-after-move): that is the question
  Secret copy = secret;
  const Secret moved = std::move(copy);
  EXPECT_EQ(moved, secret);
  EXPECT_TRUE(copy.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(Digest, KnowsTheStandardsAnswers) {
  // FIPS 180-4's example; RFC 4231, cases 2 and 6.
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Digest, HashesInPieces) {
  Sha256 hash;
  hash.add("a");
  hash.add("bc");
  EXPECT_EQ(hash.finish(), sha256("abc"));
  EXPECT_EQ(hash.finish(), sha256(std::string_view()));  // anew
}

}  // namespace
}  // namespace plume::cloud
