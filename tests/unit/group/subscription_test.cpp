// The bytes of subscriptions and assignments: what Kafka's classes wrote is in the golden vectors (kafkawire-conformance); here, what a
// stranger may have written.
#include "group/subscription.hpp"

#include "catch.hpp"

using namespace kafkawire;
using namespace kafkawire::group;
using protocol::bytes;
using protocol::bytes_view;

namespace {

bytes of(std::initializer_list<int> values) {
    bytes b;
    for (const int v : values) b.push_back(static_cast<std::byte>(v));
    return b;
}

subscription_message full_subscription() {
    subscription_message m;
    m.topics = {"a", "b"};
    m.user_data = of({1, 2, 3});
    m.owned_partitions = {{"a", {0, 2}, {}}, {"b", {1}, {}}};
    m.generation_id = 7;
    m.rack_id = "r1";
    return m;
}

}  // namespace

TEST_CASE("a subscription is read as it was written, as far as its version says it") {
    const auto m = full_subscription();
    for (std::int16_t version = 0; version <= 3; ++version) {
        INFO("version " << version);
        bytes b;
        REQUIRE_FALSE(write_subscription(m, b, version));
        CHECK(b[1] == static_cast<std::byte>(version));
        subscription_message read;
        REQUIRE_FALSE(read_subscription(b, read));
        CHECK(read.topics == m.topics);
        CHECK(read.user_data == m.user_data);
        CHECK(read.owned_partitions.size() == (version >= 1 ? 2 : 0));
        CHECK(read.generation_id == (version >= 2 ? 7 : -1));
        CHECK(read.rack_id == (version >= 3 ? m.rack_id : std::nullopt));
    }
}

TEST_CASE("a version of the future is read as far as ours goes") {
    bytes b;
    REQUIRE_FALSE(write_subscription(full_subscription(), b));
    b[1] = std::byte{9};
    b.resize(b.size() + 40, std::byte{0xee});
    subscription_message read;
    REQUIRE_FALSE(read_subscription(b, read));
    CHECK(read == full_subscription());
}

TEST_CASE("a version below zero is refused") {
    subscription_message read;
    const auto wrong = read_subscription(of({0xff, 0xff, 0, 0, 0, 0}), read);
    CHECK(wrong.code == errc::unsupported_version);
}

TEST_CASE("an assignment of no bytes is empty, one that is cut is an error") {
    assignment_message m;
    m.assigned_partitions = {{"topic", {3, 1, 2}, {}}};
    m.user_data = of({9});
    bytes b;
    REQUIRE_FALSE(write_assignment(m, b));
    for (std::size_t n = 0; n <= b.size(); ++n) {
        assignment_message read;
        const auto wrong = read_assignment(bytes_view{b}.first(n), read);
        INFO(n << " bytes");
        CHECK(static_cast<bool>(wrong) == (n != 0 && n != b.size()));
        if (wrong) CHECK(wrong.offset <= n);
        if (n == b.size()) CHECK(read == m);
    }
}

TEST_CASE("a subscription that is cut or claims what it has not costs no memory") {
    bytes b;
    REQUIRE_FALSE(write_subscription(full_subscription(), b));
    for (std::size_t n = 0; n < b.size(); ++n) {
        subscription_message read;
        CHECK(read_subscription(bytes_view{b}.first(n), read));
    }
    const auto greedy = of({0, 3, 0x7f, 0xff, 0xff, 0xff, 0, 1, 'a'});
    subscription_message read;
    CHECK(read_subscription(greedy, read).code == errc::bad_length);
    CHECK(read.topics.capacity() < 16);
}

TEST_CASE("sticky user data is read with and without a generation") {
    sticky_user_data m{{{"t0", {0, 3}}, {"t1", {}}}, 5};
    bytes b;
    write_sticky_user_data(m, b);
    sticky_user_data read;
    REQUIRE_FALSE(read_sticky_user_data(b, read));
    CHECK(read == m);
    b.resize(b.size() - 4);  // version 0
    REQUIRE_FALSE(read_sticky_user_data(b, read));
    m.generation = -1;
    CHECK(read == m);
    for (std::size_t n = 0; n < b.size(); ++n) {
        INFO(n << " bytes");
        CHECK(read_sticky_user_data(bytes_view{b}.first(n), read));
        CHECK(read == sticky_user_data{});
    }
}

TEST_CASE("sticky user data that claims what it has not is refused") {
    sticky_user_data read;
    CHECK(read_sticky_user_data(of({0x7f, 0xff, 0xff, 0xff, 0, 1, 'a', 0, 0, 0, 0}), read).code == errc::bad_length);
    CHECK(read_sticky_user_data(of({0, 0, 0, 1, 0, 1, 'a', 0x10, 0, 0, 0, 0, 0, 0, 0}), read).code == errc::bad_length);
    CHECK(read_sticky_user_data(of({0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0}), read).code == errc::bad_value);
    CHECK(read_sticky_user_data(of({0xff, 0xff, 0xff, 0xff}), read).code == errc::bad_length);
}

TEST_CASE("a cooperative member's user data is its generation") {
    bytes b;
    write_cooperative_user_data(0x01020304, b);
    CHECK(b == of({1, 2, 3, 4}));
    std::int32_t generation = -1;
    REQUIRE_FALSE(read_cooperative_user_data(b, generation));
    CHECK(generation == 0x01020304);
    CHECK(read_cooperative_user_data(of({1, 2, 3}), generation));
    CHECK(generation == 0x01020304);
}
