// For those who come from tRPC-Go's kafka plugin: a handler of batches, its address on the command line.
//
//   example-trpc_batch_consumer '127.0.0.1:9092?topics=test_topic&group=batches&initial=oldest&batch=100&batchFlush=500'     until SIGINT or SIGTERM
#include <kafkawire/app/component.hpp>
#include <kafkawire/broker.hpp>

#include <csignal>
#include <iostream>

int main(int argc, char** argv) {
    if (argc != 2) return std::cerr << "usage: example-trpc_batch_consumer ADDRESS\n", 2;
    kw::broker::register_embedded_scheme();
    try {
        kw::app::component s{kw::config::read_consumer_address(argv[1], "trpc.app.server.consumer")};
        // Without batch= in the address this is an error at start. An error of the handler has the whole batch come again.
        s.serve_all(kw::app::on_batch([](std::span<const kw::record_view> batch) {
            std::cout << "batch of " << batch.size() << " from " << batch.front().topic << '-' << batch.front().partition << " @ " << batch.front().offset << std::endl;
        }));
        s.on_error([](const kw::app::service_error& e) { std::cerr << e.service << ": " << e.why.message() << '\n'; });
        s.stop_on_signals({SIGINT, SIGTERM});
        s.run();
    } catch (const kw::system_error& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
