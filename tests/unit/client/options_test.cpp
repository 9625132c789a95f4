#include <kafkawire/options.hpp>

#include "catch.hpp"

using namespace kafkawire;
using namespace std::chrono_literals;

TEST_CASE("options are set from text, by our names and by those of other clients") {
    client_options o;
    CHECK_FALSE(set_option(o, "bootstrap.servers", "a:1,b"));
    CHECK(o.bootstrap == "a:1,b");
    CHECK_FALSE(set_option(o, "request_timeout", "5 s"));
    CHECK(o.request_timeout == 5s);
    CHECK_FALSE(set_option(o, "request.timeout.ms", "1500"));
    CHECK(o.request_timeout == 1500ms);
    CHECK_FALSE(set_option(o, "metadata_max_age", "2min"));
    CHECK(o.metadata_max_age == 120s);
    CHECK_FALSE(set_option(o, "max_response", "64 MiB"));
    CHECK(o.max_response == 64u << 20);
    CHECK_FALSE(set_option(o, "max_in_flight", "7"));
    CHECK(o.max_in_flight == 7);
}

TEST_CASE("a wrong option is named with its value and with what would be right, and changes nothing") {
    client_options o;
    const auto wrong = [&](std::string_view name, std::string_view value, std::string_view words) {
        const auto e = set_option(o, name, value);
        INFO(e.text << " / " << e.hint);
        CHECK(e.code == errc::bad_configuration);
        CHECK((e.text + e.hint).find(words) != std::string::npos);
    };
    wrong("request_timeout", "soon", "1 ms to");
    wrong("request_timeout", "-5", "1 ms to");
    wrong("request_timeout", "99999999999999999999", "1 ms to");
    wrong("request_timeout", "9223372036854775807 h", "1 ms to");
    wrong("max_in_flight", "0", "1 to 1000000");
    wrong("max_in_flight", "7 MiB", "1 to 1000000");
    wrong("max_response", "8 GiB", "1 KiB to");
    wrong("bootsrap", "a:1", "did you mean bootstrap?");
    wrong("bootstrap.server", "a:1", "did you mean bootstrap.servers?");
    wrong("", "a", "no option");
    wrong("bootstrap", "", "at least one");
    wrong("bootstrap", "a:b", "port");
    wrong("bootstrap", "a:0", "port");
    wrong("bootstrap", "a:65536", "port");
    wrong("bootstrap", ":9092", "no host");
    wrong("bootstrap", "::1:9092", "brackets");
    wrong("bootstrap", "[::1", "bracket");
    wrong("bootstrap", "http://a:1", "scheme");
    CHECK(o.bootstrap == client_options{}.bootstrap);
    o.request_timeout = 0ms;
    CHECK(validate(o).text == "request_timeout is 0 ms; 1 ms to 2147483647 ms would be right");
    CHECK_FALSE(validate(client_options{}));
}

TEST_CASE("bootstrap lists are taken apart") {
    std::vector<bootstrap_address> a;
    CHECK(parse_bootstrap(" one:1 , two,[::1]:3,[::2],", a).empty());
    REQUIRE(a.size() == 4);
    CHECK((a[0].host == "one" && a[0].port == 1));
    CHECK((a[1].host == "two" && a[1].port == 9092));
    CHECK((a[2].host == "::1" && a[2].port == 3));
    CHECK((a[3].host == "::2" && a[3].port == 9092));
}

TEST_CASE("the manual has a row for every option, with its default read back from the struct") {
    const auto manual = option_manual<client_options>();
    for (const auto& o : options_of<client_options>()) CHECK(manual.find("| " + std::string{o.name} + " |") != std::string::npos);
    CHECK(manual.find("| connect_timeout | 10 s | 1 ms to ") != std::string::npos);
    CHECK(manual.find("| max_response | 100 MiB | ") != std::string::npos);
}
