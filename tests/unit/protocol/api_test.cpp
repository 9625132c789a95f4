#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/codec.hpp>

#include "catch.hpp"

using namespace kafkawire::protocol;

TEST_CASE("the keys of the API table are its indices") {
    for (std::size_t i = 0; i < apis().size(); ++i) CHECK(apis()[i].key == static_cast<std::int16_t>(i));
}

TEST_CASE("request and response of an API have the same versions") {
    for (const auto& a : apis()) {
        INFO(a.name);
        CHECK(a.request->versions == a.response->versions);
        CHECK(a.request->key == a.key);
        CHECK(a.response->key == a.key);
        CHECK(find_api(a.name) == &a);
    }
}

TEST_CASE("the largest ratio of memory to wire is known") {
    std::printf("largest ratio of an element's size in memory to its smallest size on the wire: %zu\n", max_expansion());
    CHECK(max_expansion() > 8);
}
