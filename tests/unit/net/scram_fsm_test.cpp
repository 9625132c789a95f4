// SCRAM from the client's side: the RFCs' own examples, and servers that are not to be trusted.
#include "net/scram_fsm.hpp"

#include <sstream>

#include "catch.hpp"
#include "net/base64.hpp"

namespace {

using kafkawire::net::scram_fsm;
using kafkawire::net::scram_hash;
using scram_state = scram_fsm::state;

// RFC 7677, 3.
constexpr auto nonce = "rOprNGfwEbeRWgbNEkqO";
constexpr auto server_first = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr auto server_last = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

scram_fsm example() { return {scram_hash::sha256, "user", kafkawire::secret{"pencil"}, nonce}; }
scram_fsm proven() {
    auto c = example();
    REQUIRE(c.server_first(server_first));
    while (!c.derive(1000)) REQUIRE(c.where() == scram_state::deriving);
    return c;
}

}  // namespace

TEST_CASE("the exchange of RFC 7677, in slices of any size") {
    for (const std::uint32_t slice : {1u, 7u, 4095u, 4096u, 100'000u}) {
        auto c = example();
        CHECK(c.first() == "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        REQUIRE(c.server_first(server_first));
        CHECK(c.where() == scram_state::deriving);
        std::uint32_t turns = 1;
        while (!c.derive(slice)) ++turns;
        CHECK(turns == (4096 + slice - 1) / slice);
        CHECK(c.last() == "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        CHECK(c.where() == scram_state::proving);
        CHECK(c.server_last(server_last));
        CHECK(c.where() == scram_state::trusted);
    }
}

TEST_CASE("names are escaped, tokens are said to be ones, passwords are taken as they are, even empty or long ones") {
    const scram_fsm odd{scram_hash::sha512, "a,b=c", kafkawire::secret{"p"}, "x"};
    CHECK(odd.first() == "n,,n=a=2Cb=3Dc,r=x");
    const scram_fsm token{scram_hash::sha512, "id", kafkawire::secret{"hmac"}, "x", true};
    CHECK(token.first() == "n,,n=id,r=x,tokenauth=true");
    for (const auto* password : {"", "p\xc3\xa4ss", "a password that is longer than a block of the hash, which is 64 bytes for SHA-256, and so is hashed itself"}) {
        scram_fsm c{scram_hash::sha256, "u", kafkawire::secret{password}, "x"};
        REQUIRE(c.server_first("r=xy,s=c2FsdA==,i=4096"));
        CHECK(c.derive(5000));
        CHECK(c.last().size() > 20);
    }
}

TEST_CASE("a server that is not to be trusted with a proof gets none") {
    const auto refused = [](std::string message, std::string because) {
        auto c = example();
        CAPTURE(message, c.why());
        CHECK_FALSE(c.server_first(message));
        CHECK(c.where() == scram_state::refused);
        CHECK(c.why().find(because) != std::string::npos);
        CHECK(c.why().find("pencil") == std::string::npos);
        CHECK_FALSE(c.derive(10'000));
        CHECK(c.last().empty());
    };
    const std::string ours = nonce;
    refused("r=" + ours + "x,s=c2FsdA==,i=1", "1 iterations, fewer than 4096");
    refused("r=" + ours + "x,s=c2FsdA==,i=4095", "fewer than 4096");
    refused("r=" + ours + "x,s=c2FsdA==,i=1000001", "more than 1000000");
    refused("r=" + ours + "x,s=c2FsdA==,i=2147483647", "more than 1000000");
    refused("r=" + ours + "x,s=c2FsdA==,i=99999999999", "number of iterations");
    refused("r=" + ours + "x,s=c2FsdA==,i=-4096", "number of iterations");
    refused("r=" + ours + "x,s=c2FsdA==,i=04096", "number of iterations");
    refused("r=" + ours + "x,s=c2FsdA==,i=4096x", "number of iterations");
    refused("r=" + ours + "x,s=c2FsdA==,i=", "number of iterations");
    refused("r=" + ours + ",s=c2FsdA==,i=4096", "added nothing");
    refused("r=somebody-else-altogether,s=c2FsdA==,i=4096", "does not begin with ours");
    refused("r=" + ours.substr(0, 10) + ",s=c2FsdA==,i=4096", "does not begin with ours");
    refused("r=" + ours + "\x01,s=c2FsdA==,i=4096", "characters");
    refused("r=" + ours + std::string(2000, 'x') + ",s=c2FsdA==,i=4096", "too long");
    refused("r=" + ours + "x,s=,i=4096", "salt");
    refused("r=" + ours + "x,s=c2FsdA,i=4096", "salt");
    refused("r=" + ours + "x,s=c2FsdB==,i=4096", "salt");  // bits that say nothing
    refused("r=" + ours + "x,i=4096,s=c2FsdA==", "form");
    refused("r=" + ours + "x,r=" + ours + "y,s=c2FsdA==,i=4096", "form");
    refused("r=" + ours + "x,s=c2FsdA==,i=4096,", "form");
    refused("r=" + ours + "x,s=c2FsdA==,i=4096,x=1", "form");
    refused("m=a,r=" + ours + "x,s=c2FsdA==,i=4096", "extension");
    refused("", "form");
    refused("r", "form");
    refused("e=unknown-user\n\x1b[31m", "\"unknown-user??[31m\"");
}

TEST_CASE("a server that does not know the password is found out") {
    const auto refused = [](std::string message, std::string because) {
        auto c = proven();
        CAPTURE(message);
        CHECK_FALSE(c.server_last(message));
        CHECK(c.where() == scram_state::refused);
        CHECK(c.why().find(because) != std::string::npos);
        CHECK(c.why().find("6rriTRBi") == std::string::npos);  // nor what it should have said
    };
    refused("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "does not know the password");
    refused("v=", "does not know the password");
    refused("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4", "does not know the password");
    refused("", "form");
    refused("x=1", "form");
    refused(std::string{server_last} + ",v=1", "form");
    refused(std::string{server_last} + ",", "form");
    refused("e=invalid-proof", "refused the proof: \"invalid-proof\"");
    auto early = example();
    CHECK_FALSE(early.server_last(server_last));
    CHECK(early.where() == scram_state::refused);
    auto twice = proven();
    CHECK_FALSE(twice.server_first(server_first));
}

TEST_CASE("without a nonce nothing begins; nonces differ") {
    CHECK(scram_fsm(scram_hash::sha256, "u", kafkawire::secret{"p"}, "").where() == scram_state::refused);
    CHECK(scram_fsm(scram_hash::sha256, "u", kafkawire::secret{"p"}, "a,b").where() == scram_state::refused);
    const auto one = kafkawire::net::scram_nonce();
    CHECK(one.size() == 32);
    CHECK(one != kafkawire::net::scram_nonce());
}

TEST_CASE("base64: RFC 4648's own, and nothing that is not canonical") {
    constexpr std::pair<const char*, const char*> known[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, coded] : known) {
        CHECK(kafkawire::net::to_base64(plain) == coded);
        CHECK(kafkawire::net::from_base64(coded) == plain);
    }
    for (const auto* wrong : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "====", "Zg==Zg==", "Zm9v\n", "Zm 9", "Zm9-", "=Zm9"}) {
        CAPTURE(wrong);
        CHECK_FALSE(kafkawire::net::from_base64(wrong));
    }
    std::string all;
    for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
    CHECK(kafkawire::net::from_base64(kafkawire::net::to_base64(all)) == all);
}

namespace {
template <class T>
concept printable = requires(std::ostream& o, const T& t) { o << t; };
template <class T>
concept comparable = requires(const T& t) { t == t; };
static_assert(!printable<kafkawire::secret> && printable<std::string>);
static_assert(!comparable<kafkawire::secret> && comparable<std::string>);
}  // namespace

TEST_CASE("a secret keeps its text to itself, and wipes it") {
    kafkawire::secret a{"a token that is too long for a string's own room"};
    const auto* where = a.reveal().data();
    const auto length = a.reveal().size();
    const kafkawire::secret copy{a};
    CHECK(copy.same_as(a));
    CHECK_FALSE(copy.same_as(kafkawire::secret{"a token"}));
    a.wipe();
    CHECK(a.empty());
    CHECK(std::string(where, length) == std::string(length, '\0'));  // the memory is still a's
    kafkawire::secret moved_from{"short"};
    const kafkawire::secret moved{std::move(moved_from)};
    CHECK(moved.reveal() == "short");
    CHECK(moved_from.empty());
}
