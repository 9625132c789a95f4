#include <kafkawire/app/component.hpp>


#include <asio/thread_pool.hpp>
#include <algorithm>
#include <deque>

namespace kafkawire::inline v0_1 {
namespace app {

namespace {

constexpr std::uint32_t most_handler_threads = 64;

template <class Named>
[[noreturn]] void no_such(std::string_view kind, std::string_view name, const Named& known) {
    std::string all;
    std::vector<std::string_view> views;
    for (const auto& [n, what] : known) {
        all += (all.empty() ? "" : ", ") + n;
        views.push_back(n);
    }
    error e;
    e.code = kafkawire::errc::bad_configuration;
    e.text = "there is no " + std::string{kind} + " " + std::string{name.substr(0, 100)} + " in the configuration" + (all.empty() ? "" : ": there are " + all);
    if (const auto nearest = nearest_name(views, name); !nearest.empty()) e.hint = "did you mean " + std::string{nearest} + "?";
    throw system_error{std::move(e)};
}

template <class Named>
std::vector<std::string> names_in(const Named& all) {
    std::vector<std::string> names;
    for (const auto& [name, what] : all) names.push_back(name);
    return names;
}

void check_balancers(const config::settings& s) {
    const auto known = partitioner_names();
    for (const auto& [name, p] : s.producers) {
        const auto& wanted = p.sending.balancer;
        if (wanted.empty() || std::find(known.begin(), known.end(), wanted) != known.end()) continue;
        error e;
        e.code = kafkawire::errc::bad_configuration;
        e.text = "producer " + name + ": balancer is \"" + wanted + "\", and nobody has registered that";
        e.hint = "give it to the component, or to kw::register_partitioner() before";
        throw system_error{std::move(e)};
    }
}

std::size_t handler_threads(const config::settings& s) {
    std::uint64_t sum = 0;
    for (const auto& [name, c] : s.consumers) sum += c.handling.parallel;
    return static_cast<std::size_t>(std::clamp<std::uint64_t>(sum, 1, most_handler_threads));
}

}  // namespace

struct component::state {
    explicit state(const config::settings& of) : settings{of}, handlers{handler_threads(of)} {}

    config::settings settings;
    client_detail::loop loop;
    asio::thread_pool handlers;
    std::mutex lock;                                 // of the next two
    std::map<std::string, std::unique_ptr<writer>, std::less<>> writers;
    std::map<std::string, std::unique_ptr<reader>, std::less<>> readers;
    // On the loop.
    std::deque<kafkawire::client> clients;
    std::optional<app::services> servers;
    std::vector<std::string> served;
    std::function<void(const service_error&)> failed;
    bool stopped = false;

    template <class Made, class Settings>
    Made& make(std::map<std::string, std::unique_ptr<Made>, std::less<>>& made, const Settings& known, std::string_view kind, std::string_view name) {
        const auto what = known.find(name);
        if (what == known.end()) no_such(kind, name, known);
        const std::lock_guard hold{lock};
        auto& one = made[std::string{name}];
        if (!one) one = std::make_unique<Made>(what->second, &loop.context());
        return *one;
    }

    void tell(const service_error& e) {
        if (failed) failed(e);
    }

    // What a reader refuses as too large is told, and the others are handled.
    handler without_large(handler what, std::uint32_t most) {
        if (most == 0) return what;
        return {what.batched(), [this, what, most](call c) {
                    std::vector<record_view> left;
                    for (const auto& m : c.messages()) {
                        if (m.key.size() + m.value.size() <= most) left.push_back(m);
                        else if (c.attempt() == 1) refuse_large(m, most);
                    }
                    if (left.size() == c.messages().size()) return what(std::move(c));
                    if (left.empty()) return c.done();
                    const auto whole = std::make_shared<call>(std::move(c));
                    what(call{std::move(left), {whole}, whole->attempt(), whole->executor(), [whole](error why) { whole->done(std::move(why)); }});
                }};
    }
    void refuse_large(const record_view& m, std::uint32_t most) {
        service_error e;
        e.why.code = kafkawire::errc::limit_exceeded;
        e.why.text = "the message has " + std::to_string(m.key.size() + m.value.size()) + " bytes, and max_message_bytes is " + std::to_string(most) + "; it is confirmed without having been handled";
        e.topic = m.topic;
        e.partition = m.partition;
        e.offset = m.offset;
        asio::post(loop.executor(), [this, e = std::move(e)] { tell(e); });
    }

    // On the loop.
    void add(const std::string& name, const config::consumer_settings& c, handler what) {
        what = without_large(std::move(what), c.reading.max_message_bytes);
        if (c.connection.caller_metadata) what = with_caller_metadata(std::move(what));
        auto& k = clients.emplace_back(loop.executor(), c.client);
        consumer_server one{k, c.options, std::move(what), c.handling};
        one.run_on(handlers.get_executor());
        group().add(name, std::move(one));
        served.push_back(name);
    }
    app::services& group() {
        if (servers) return *servers;
        servers.emplace(loop.executor());
        servers->on_error([this](const service_error& e) { tell(e); });
        return *servers;
    }
    [[nodiscard]] bool has(std::string_view name) const { return std::find(served.begin(), served.end(), name) != served.end(); }
};

component::component(const config::settings& s, const balancers& own, error wrong) {
    if (wrong) throw system_error{std::move(wrong)};
    for (const auto& [name, make] : own) register_partitioner(name, make);
    check_balancers(s);
    state_ = std::make_unique<state>(s);
}

component::~component() {
    state_->handlers.stop();
    state_->handlers.join();
    // Servers before their clients.
    state_->loop.run([&] {
        state_->servers.reset();
        state_->clients.clear();
    });
    state_->readers.clear();
    state_->writers.clear();
}

writer& component::producer(std::string_view name) { return state_->make(state_->writers, state_->settings.producers, "producer", name); }
reader& component::consumer(std::string_view name) { return state_->make(state_->readers, state_->settings.consumers, "consumer", name); }
std::vector<std::string> component::producers() const { return names_in(state_->settings.producers); }
std::vector<std::string> component::consumers() const { return names_in(state_->settings.consumers); }
const config::settings& component::settings() const noexcept { return state_->settings; }

void component::serve(std::string_view name, handler what) {
    const auto& s = state_->settings;
    auto consumer = std::string{name};
    if (const auto server = s.servers.find(name); server != s.servers.end()) consumer = server->second.consumer_name;
    else if (!s.servers.empty() && !s.consumers.contains(name)) no_such("server", name, s.servers);
    const auto settings = s.consumers.find(consumer);
    if (settings == s.consumers.end()) no_such("consumer", consumer, s.consumers);
    state_->loop.run([&] {
        if (state_->has(name)) {
            error e;
            e.code = kafkawire::errc::bad_configuration;
            e.text = "server " + std::string{name} + " has a handler already";
            throw system_error{std::move(e)};
        }
        state_->add(std::string{name}, settings->second, std::move(what));
    });
}

void component::serve_all(const handler& what) {
    const auto& s = state_->settings;
    for (const auto& name : s.servers.empty() ? names_in(s.consumers) : names_in(s.servers)) {
        bool served = false;
        state_->loop.run([&] { served = state_->has(name); });
        if (!served) serve(name, what);
    }
}

void component::on_error(std::function<void(const service_error&)> what) {
    state_->loop.run([&] { state_->failed = std::move(what); });
}

void component::stop_on_signals(std::vector<int> signals) {
    state_->loop.run([&] { state_->group().stop_on_signals(std::move(signals)); });
}

void component::run() {
    auto [why] = state_->loop.call<>([&](auto h) {
        if (state_->stopped || state_->served.empty()) return h(error{});
        state_->group().async_run(detailed(std::move(h)));
    });
    if (why) throw system_error{std::move(why)};
}

void component::stop() {
    asio::post(state_->loop.executor(), [s = state_.get()] {
        s->stopped = true;
        if (s->servers) s->servers->stop();
    });
}

std::optional<service_statistics> component::statistics(std::string_view server) {
    std::optional<service_statistics> found;
    state_->loop.run([&] {
        if (const auto* s = state_->servers ? state_->servers->find(server) : nullptr) found = s->statistics();
    });
    return found;
}

std::optional<session> component::session_of(std::string_view server) {
    std::optional<session> found;
    state_->loop.run([&] {
        if (const auto* s = state_->servers ? state_->servers->find(server) : nullptr) found = s->session();
    });
    return found;
}

std::size_t component::close(std::chrono::milliseconds patience) {
    const std::lock_guard hold{state_->lock};
    std::size_t left = 0;
    for (const auto& [name, w] : state_->writers) left += w->close(patience);
    for (const auto& [name, r] : state_->readers) r->close(patience);
    return left;
}

}  // namespace app
}  // namespace kafkawire::inline v0_1
