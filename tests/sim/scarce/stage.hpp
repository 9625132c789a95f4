// A client in the simulated world whose n-th allocation fails, what it does there, and what must be true of it all the same.
#pragma once
#include <kafkawire/transaction.hpp>

#include <functional>
#include <string>

#include "../workload.hpp"
#include "allocator.hpp"

namespace scarce {

namespace kw = kafkawire;
using namespace std::chrono_literals;

/// One run of a scenario. Three nodes, the client under test on "app", an auditor that has all the memory that it likes.
class stage {
public:
    /// `fail_at`: see allocator.hpp. `by_hand`: whoever catches bad_alloc closes the client, as its documentation says; else it goes on as it is.
    stage(std::uint64_t fail_at, bool by_hand);
    ~stage();

    // --- for scenarios; all of it as code under test ---
    void make_producer(kw::producer_options o = {});
    /// Numbered records, one after the other.
    void send(int count = 1, std::int32_t partition = -1, std::size_t size = 40);
    void send_batch(int count);
    void enqueue(int count);
    void flush();
    void close_producer();
    void drop_producer();
    void begin();
    void commit(bool yes = true);
    void offsets();
    void drop_transaction();
    void ready();
    void metadata();
    void cancel_all();
    /// Lets that much time pass. What comes out of the loop is caught, and the loop goes on.
    void run(std::chrono::nanoseconds d);
    kw::broker::control control() { return world_->cluster->control(); }
    schedules::cluster_world& world() { return *world_; }

    /// Everything is told, truly; then the client goes, and another one does well. What is wrong, or nothing.
    [[nodiscard]] std::string judge();
    [[nodiscard]] std::size_t acknowledged() const noexcept { return acknowledged_; }

private:
    struct held;
    template <class F>
    void tested(F f);
    void out_of_memory();
    std::shared_ptr<held> note_send(std::int32_t partition, std::size_t size);
    void told(const std::shared_ptr<held>& h, std::error_code ec, const kw::delivery& d);
    [[nodiscard]] std::string use_again();
    /// An operation that must be told once; the function tells it.
    [[nodiscard]] std::function<void(std::error_code)> expect(const char* what);

    schedules::settings settings_;
    std::optional<schedules::cluster_world> world_;
    std::optional<schedules::workload> work_;
    std::optional<kw::client> client_;
    std::optional<kw::producer> producer_;
    kw::transaction transaction_;
    std::vector<std::shared_ptr<held>> held_;
    std::map<int, std::string> pending_;
    std::string trouble_;
    int next_operation_ = 0;
    std::uint64_t next_value_ = 1;
    std::int64_t transactions_ = 0, now_in_ = 0;
    std::size_t acknowledged_ = 0;
    bool by_hand_;
    bool sequences_ = true, answers_ = true;  // of the producer
    bool out_ = false;
};

struct scenario {
    const char* name;
    void (*run)(stage&);
};
[[nodiscard]] std::span<const scenario> scenarios();

}  // namespace scarce
