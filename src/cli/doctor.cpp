// doctor: why it does not work, step by step: names, connections, TLS, SASL, versions, metadata, each advertised listener, and with --scratch writing
// and reading.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

#include "cli/doctor_probe.hpp"
#include "cli/doctor_scratch.hpp"
#include "cli/session.hpp"

namespace kafkawire::cli {

namespace {

using json = nlohmann::ordered_json;
using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds a_look{5};

struct doctor_arguments {
    bool scratch = false;
    std::optional<std::string> topic;
};

std::string word_of(diagnosis d) {
    switch (d) {
        case diagnosis::well: return "ok";
        case diagnosis::doubtful: return "note";
        case diagnosis::ill: return "FAIL";
        case diagnosis::left_out: break;
    }
    return "-";
}

void print(context& c, const std::vector<finding>& all) {
    table t{{"RESULT", "STEP", "ABOUT", "WHAT"}, {}};
    for (const auto& f : all) t.add({word_of(f.how), f.step, f.about, f.what});
    c.out->write(t.as(c.format));
    if (c.format == output_format::tsv) return;
    for (const auto& f : all) {
        if (f.how != diagnosis::ill && f.how != diagnosis::doubtful) continue;
        c.out->write(fmt::format("\n{} {}: {}\n", f.step, f.about, f.what));
        if (!f.why.empty() && f.what.find(f.why) == std::string::npos) c.out->write("  why: " + f.why + "\n");
        for (const auto& a : f.advice) c.out->write("  try: " + a + "\n");
    }
}

void print_json(context& c, const std::vector<finding>& all) {
    auto steps = json::array();
    for (const auto& f : all) {
        static constexpr const char* results[] = {"ok", "note", "failed", "skipped"};
        steps.push_back({{"step", f.step}, {"about", f.about}, {"result", results[static_cast<int>(f.how)]}, {"what", f.what}, {"why", f.why.empty() ? json{} : json(f.why)}, {"try", f.advice},
                         {"took_ms", f.took.count() < 0 ? json{} : json(f.took.count())}});
    }
    const json whole{{"schema", "kafka-cli/doctor/1"}, {"ok", !is_ill(all)}, {"steps", steps}};
    c.out->write(whole.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
}

// One address, as far as it goes.
asio::awaitable<std::vector<finding>> examine(prober& look, listener_place p) {
    std::vector<finding> all;
    auto took = [&all, began = clock::now()]() mutable {
        all.back().took = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - began);
        began = clock::now();
    };
    auto name = co_await look.look_up(p.host);
    all.push_back(judge_name(p, name));
    took();
    if (is_ill(all)) co_return all;
    const auto tried = co_await look.connect(std::move(name.addresses), p.port);
    all.push_back(judge_connection(p, tried));
    took();
    if (is_ill(all)) co_return all;
    const auto met = co_await look.contact(p);
    for (auto& f : judge_contact(p, met, look.options())) all.push_back(std::move(f));
    took();
    co_return all;
}

struct examination {
    std::vector<finding> all;
    cluster_facts cluster;
    std::vector<listener_place> listeners;
};

// The addresses of the bootstrap list, until one tells of the cluster; the others are only connected to.
asio::awaitable<void> examine_bootstrap(prober& look, std::vector<listener_place> places, examination& to) {
    bool known = false;
    for (const auto& p : places) {
        auto found = co_await examine(look, p);
        const bool well = !is_ill(found);
        for (auto& f : found) to.all.push_back(std::move(f));
        if (!well || known) continue;
        auto answer = co_await look.metadata(p);
        to.all.push_back(judge_metadata(p, answer.facts, look.options()));
        if (answer.facts.why) continue;
        known = true;
        to.cluster = std::move(answer.facts);
        to.listeners = std::move(answer.listeners);
    }
}

asio::awaitable<void> examine_listeners(prober& look, const std::vector<listener_place>& known, examination& to) {
    for (const auto& p : to.listeners) {
        const auto same = [&](const listener_place& q) { return q.host == p.host && q.port == p.port; };
        if (std::any_of(known.begin(), known.end(), same)) {
            to.all.push_back({"listener", name_of(p), diagnosis::well, "the address that was asked", {}, {}, std::chrono::milliseconds{-1}});
            continue;
        }
        const auto began = clock::now();
        const auto found = co_await examine(look, p);
        std::string there;
        if (!is_ill(found)) {
            const auto answer = co_await look.metadata(p);
            there = answer.facts.cluster_id;
        }
        auto f = judge_listener(p, found, to.cluster.cluster_id, there);
        f.took = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - began);
        to.all.push_back(std::move(f));
    }
}

asio::awaitable<status> examine_all(session& s, const doctor_arguments& a) {
    auto& c = s.ctx();
    const auto options = client_options_of(c);
    // Of an address that is no list of hosts the client knows what it stands for.
    std::vector<listener_place> places;
    for (const auto& b : s.cluster().brokers()) places.push_back({b.host, b.port, -1, {}});
    prober look{s.io(), options, c.timeout_given ? c.timeout : std::chrono::milliseconds{a_look}};
    examination e;
    co_await examine_bootstrap(look, places, e);
    co_await examine_listeners(look, places, e);
    if (!e.listeners.empty() && (a.scratch || a.topic)) {
        auto writing = look.options();
        writing.bootstrap = options.bootstrap;
        co_await try_writing(s.io(), std::move(writing), a.topic.value_or(""), e.cluster.controller, e.all);
    }
    if (c.format == output_format::json) print_json(c, e.all);
    else print(c, e.all);
    const auto wrong = std::count_if(e.all.begin(), e.all.end(), [](const finding& f) { return f.how == diagnosis::ill; });
    c.out->flush();
    note(wrong == 0 ? fmt::format("\nall is well{}", a.scratch || a.topic ? "" : "; --scratch tries to write and to read too") : fmt::format("\n{} of {} steps failed", wrong, e.all.size()));
    co_return wrong == 0 ? status::done : status::failed;
}

}  // namespace

void add_doctor(command root) {
    auto sub = root.add("doctor", "Why it does not work: looks at names, connections, TLS, SASL, versions and each advertised listener, and says what to try");
    auto a = std::make_shared<doctor_arguments>();
    sub.flag("--scratch", a->scratch, "Create a topic too, write a record, read it, and delete the topic");
    sub.option("--topic", a->topic, "Write a record to this topic and read it, instead", "NAME");
    sub.examples("  kafka-cli doctor -b kafka-1:9092\n"
                 "  kafka-cli doctor --config client.properties --scratch\n"
                 "  kafka-cli doctor -b kafka-1:9093 --tls-ca ca.pem --output json");
    sub.does([a](context& c) {
        if (a->scratch && a->topic) throw usage_error("--scratch and --topic do not go together", "one of them would be right");
        session s{c};
        return s.run([a](session& in) { return examine_all(in, *a); });
    });
}

}  // namespace kafkawire::cli
