// Each form in which a function that handles messages may be written: how it says that it has taken them, and that it has not.
#include <kafkawire/app/handler.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <array>
#include <optional>

#include "catch.hpp"

namespace handler_forms {

namespace app = kw::app;

const std::error_code broken = std::make_error_code(std::errc::io_error);

kw::error told_by(const app::handler& h) {
    asio::io_context io;
    std::vector<kw::record_view> two(2);
    two[0].offset = 7;
    two[1].offset = 8;
    std::optional<kw::error> told;
    int times = 0;
    h(app::call{two, {}, 3, io.get_executor(), [&](kw::error e) {
                    told = std::move(e);
                    ++times;
                }});
    io.run();
    REQUIRE(told);
    CHECK(times == 1);
    return *told;
}
std::error_code code_of(const app::handler& h) { return told_by(h).code; }
kw::error why(const std::error_code& ec) {
    kw::error e;
    e.code = ec;
    return e;
}
// What a function does that was given an offset of 7 and is to go well or not.
void check(const kw::record_view& r) { CHECK(r.offset == 7); }
std::error_code free_function(const kw::record_view& r) { return r.offset == 7 ? std::error_code{} : broken; }

TEST_CASE("functions of one message: void, a code, an error, coroutines of these") {
    CHECK_FALSE(code_of(app::on_message([](const kw::record_view& r) { check(r); })));
    CHECK_FALSE(code_of(app::on_message(free_function)));
    CHECK(code_of(app::on_message([](const kw::record_view&) { return broken; })) == broken);
    CHECK_FALSE(code_of(app::on_message([](kw::record_view r) -> kw::error {
        check(r);
        return {};
    })));
    CHECK(code_of(app::on_message([](const kw::record_view&) { return why(broken); })) == broken);

    const auto taken = app::on_message([](kw::record_view r) -> asio::awaitable<void> {
        check(r);
        co_return;
    });
    CHECK_FALSE(code_of(taken));
    const auto code = app::on_message([](kw::record_view) -> asio::awaitable<std::error_code> { co_return broken; });
    CHECK(code_of(code) == broken);
    const auto error = app::on_message([](kw::record_view) -> asio::awaitable<kw::error> { co_return why(broken); });
    CHECK(code_of(error) == broken);
    const auto thrown = app::on_message([](kw::record_view) -> asio::awaitable<void> {
        throw std::system_error{broken};
        co_return;
    });
    CHECK(code_of(thrown) == broken);
}

TEST_CASE("what a function throws is what went wrong: codes stay codes, words stay words") {
    const auto text = [](const auto& what) { return told_by(app::on_message([&](const kw::record_view&) { throw what; })); };
    CHECK(text(std::runtime_error{"cannot be billed"}).code == app::errc::handler_failed);
    CHECK(text(std::runtime_error{"cannot be billed"}).message() == "cannot be billed");
    CHECK(text(std::system_error{broken}).code == broken);
    CHECK(text(kw::system_error{why(kw::errc::request_timed_out)}).code == kw::errc::request_timed_out);
    CHECK(text(42).code == app::errc::handler_failed);
    // A code of 0 in an exception is no success.
    CHECK(text(std::system_error{std::error_code{}}).code == app::errc::handler_failed);
}

TEST_CASE("functions of many messages, and of the call itself") {
    CHECK_FALSE(code_of(app::on_batch([](std::span<const kw::record_view> all) { CHECK(all.size() == 2); })));
    CHECK(code_of(app::on_batch([](std::span<const kw::record_view>) { return broken; })) == broken);
    const auto coroutine = app::on_batch([](std::span<const kw::record_view> all) -> asio::awaitable<void> {
        if (all.back().offset != 8) throw std::runtime_error{"not those"};
        co_return;
    });
    CHECK_FALSE(code_of(coroutine));
    CHECK_FALSE(code_of(app::on_call([](app::call c) {
        CHECK(c.attempt() == 3);
        c.done();
        c.done(why(broken));
    })));
    CHECK(code_of(app::on_call([](app::call c) { c.done(why(broken)); })) == broken);
    CHECK(code_of(app::on_call([](app::call) {})) == app::errc::handler_gone);
    CHECK(app::on_batch([](std::span<const kw::record_view>) {}).batched());
    CHECK(app::on_call([](app::call) {}, true).batched());
    CHECK_FALSE(app::on_message(free_function).batched());
}

}  // namespace handler_forms
