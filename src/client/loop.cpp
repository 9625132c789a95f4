#include <kafkawire/detail/loop.hpp>

#include <asio/strand.hpp>

#ifdef __linux__
#include <pthread.h>
#endif

namespace kafkawire::client_detail {

// Told with the lock held: the thread that waits may destroy the signal as soon as it has the lock.
void signal::tell() {
    const std::lock_guard hold{lock_};
    told_ = true;
    changed_.notify_one();
}

void signal::wait() {
    std::unique_lock hold{lock_};
    changed_.wait(hold, [this] { return told_; });
}

loop::loop() : made_{std::make_unique<asio::io_context>(1)}, io_{made_.get()}, executor_{io_->get_executor()} {
    work_.emplace(io_->get_executor());
    thread_ = std::thread{[io = io_] {
#ifdef __linux__
        pthread_setname_np(pthread_self(), "kafkawire");
#endif
        for (;;) {
            try {
                io->run();
                return;
            } catch (const std::bad_alloc&) {
                // Whoever found no memory has told that, or its deadline will. The others go on.
            }
        }
    }};
}

loop::loop(asio::io_context& io) : io_{&io}, executor_{asio::make_strand(io)} {}

loop::~loop() {
    work_.reset();
    if (!thread_.joinable()) return;
    io_->stop();
    thread_.join();
}

void loop::refuse_here() const {
    if (!io_->get_executor().running_in_this_thread()) return;
    error e;
    e.code = std::make_error_code(std::errc::resource_deadlock_would_occur);
    e.text = "a blocking call in a thread that runs its event loop would wait for itself";
    e.hint = "call it from another thread, or use the asynchronous kw::client and kw::producer here";
    throw system_error{std::move(e)};
}

hosted_client::hosted_client(const client_options& options) { loop.run([&] { client.emplace(loop.executor(), options); }); }

hosted_client::hosted_client(asio::io_context& io, const client_options& options) : loop{io} {
    if (auto e = validate(options)) throw system_error{std::move(e)};
    loop.run([&] { client.emplace(loop.executor(), options); });
}

hosted_client::~hosted_client() { destroy_on(loop, client); }

}  // namespace kafkawire::client_detail
