// Memory that runs out while a consumer works: at whichever post or timer, what waits is told, and nothing hangs.
#include <new>

#include "group_rig.hpp"
#include "quick_world.hpp"

namespace {

// Has no memory for the n-th callback that is to be posted.
class poor_environment final : public kw::net::environment {
public:
    explicit poor_environment(std::shared_ptr<kw::net::environment> of) : of_{std::move(of)} {}
    int left = -1;                                          // posts until one fails; -1: none does
    bool failed = false;

    kw::net::time_point now() const noexcept override { return of_->now(); }
    kw::net::wall_time wall_now() const noexcept override { return of_->wall_now(); }
    std::uint64_t random() noexcept override { return of_->random(); }
    void post(kw::unique_function<void()> what) override {
        if (left >= 0 && left-- == 0) {
            failed = true;
            throw std::bad_alloc{};
        }
        of_->post(std::move(what));
    }
    std::unique_ptr<kw::net::timer> make_timer(kw::unique_function<void()> on_fire) override { return of_->make_timer(std::move(on_fire)); }
    std::unique_ptr<kw::net::stream> make_stream() override { return of_->make_stream(); }
    std::unique_ptr<kw::net::acceptor> make_acceptor() override { return of_->make_acceptor(); }
    std::unique_ptr<kw::net::datagram_socket> make_datagram_socket() override { return of_->make_datagram_socket(); }
    kw::net::resolver& default_resolver() override { return of_->default_resolver(); }

private:
    std::shared_ptr<kw::net::environment> of_;
};

// As a loop goes on whose callback found no memory.
void run(quick_world& w, std::chrono::seconds how_long) {
    const auto until = w.app.environment()->now() + how_long;
    for (;;) {
        try {
            if (const auto left = until - w.app.environment()->now(); left > 0s) w.world.run_for(left);
            return;
        } catch (const std::bad_alloc&) {
        }
    }
}

}  // namespace

TEST_CASE("at whichever callback memory runs out, every read and every commit ends") {
    int ended = 0;
    for (int n = 0;; ++n) {
        CAPTURE(n);
        quick_world w{{"orders"}};
        const auto poor = std::make_shared<poor_environment>(w.app.environment());
        kw::client client{w.app.executor(), kw::client_options{.bootstrap = "broker:9092", .request_timeout = 5s}, poor};
        int begun = 0, told = 0;
        bool out_of_memory = false;
        poor->left = n;
        try {
            kw::consumer consumer{client, member_of("billing", {"orders"}, kw::group_protocol::classic)};
            consumer.on_assigned([](kw::rebalance_step) {});
            const auto heard = [&](std::error_code ec) {
                ++told;
                out_of_memory = out_of_memory || ec == std::errc::not_enough_memory;
            };
            run(w, 10s);
            for (int i = 0; i < 3; ++i) {
                try {
                    ++begun;
                    consumer.async_poll([&](std::error_code ec, kw::records) { heard(ec); });
                } catch (const std::bad_alloc&) {
                    ++told;                                 // by this
                }
                try {
                    ++begun;
                    std::vector<kw::committed_offset> at(1);
                    at[0].topic = "orders";
                    at[0].offset = i;
                    consumer.async_commit(std::move(at), [&](std::error_code ec) { heard(ec); });
                } catch (const std::bad_alloc&) {
                    ++told;
                }
                run(w, 20s);
            }
            poor->left = -1;
            try {
                ++begun;
                consumer.async_close([&](std::error_code ec) { heard(ec); });
            } catch (const std::bad_alloc&) {
                ++told;
            }
            run(w, 60s);
        } catch (const std::bad_alloc&) {                   // none for the consumer itself
        }
        poor->left = -1;
        run(w, 10s);
        CHECK(told == begun);
        ended += out_of_memory;
        if (!poor->failed) break;
        REQUIRE(n < 5'000);
    }
    CHECK(ended > 0);
}
