// Figures and their page, which is parsed back by Prometheus's rules.
#include <kafkawire/metrics.hpp>

#include <cmath>

#include "seen_rig.hpp"

using namespace seeing;

namespace {

struct sample {
    std::map<std::string, std::string> labels;
    double value = 0;
};
struct family {
    std::string type, help;
    std::map<std::string, std::vector<sample>> samples;  // by whole name
};
using parsed_page = std::map<std::string, family>;

std::string take_word(std::string_view& rest, std::string_view until) {
    const auto end = std::min(rest.find_first_of(until), rest.size());
    std::string word{rest.substr(0, end)};
    rest.remove_prefix(end);
    return word;
}

bool is_name(std::string_view s) {
    return !s.empty() && (std::isalpha(static_cast<unsigned char>(s[0])) || s[0] == '_' || s[0] == ':') &&
           std::all_of(s.begin(), s.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == ':'; });
}

// The text format 0.0.4, strictly: throws what is wrong with it.
parsed_page parse_page(std::string_view text) {
    parsed_page page;
    std::string current;
    if (!text.empty() && text.back() != '\n') throw std::runtime_error{"the last line has no end"};
    while (!text.empty()) {
        auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(line.size() + 1);
        const auto bad = [&](const std::string& why) { return std::runtime_error{why + ": " + std::string{line}}; };
        if (line.starts_with("# HELP ") || line.starts_with("# TYPE ")) {
            const bool help = line[2] == 'H';
            auto rest = line.substr(7);
            const auto name = take_word(rest, " ");
            if (!is_name(name) || rest.empty()) throw bad("no name");
            if (help) {
                if (page.count(name)) throw bad("a family comes twice");
                current = name;
                page[name].help = rest.substr(1);
                continue;
            }
            if (name != current || !page[name].type.empty() || !page[name].samples.empty()) throw bad("TYPE is not where it belongs");
            page[name].type = rest.substr(1);
            continue;
        }
        auto rest = line;
        const auto name = take_word(rest, "{ ");
        if (!is_name(name) || current.empty() || !name.starts_with(current)) throw bad("a sample outside of its family");
        const auto suffix = name.substr(current.size());
        const bool histogram = page[current].type == "histogram";
        if (histogram ? suffix != "_bucket" && suffix != "_sum" && suffix != "_count" : !suffix.empty()) throw bad("a name that its type has not");
        sample s;
        if (rest.starts_with('{')) {
            rest.remove_prefix(1);
            while (!rest.starts_with('}')) {
                const auto label = take_word(rest, "=");
                if (!is_name(label) || label.find(':') != label.npos || !rest.starts_with("=\"")) throw bad("no label");
                rest.remove_prefix(2);
                std::string value;
                for (;; rest.remove_prefix(1)) {
                    if (rest.empty()) throw bad("a label that does not end");
                    if (rest[0] == '"') break;
                    if (rest[0] == '\\') {
                        rest.remove_prefix(1);
                        if (rest.empty() || (rest[0] != 'n' && rest[0] != '\\' && rest[0] != '"')) throw bad("no escape");
                        value += rest[0] == 'n' ? '\n' : rest[0];
                    } else {
                        value += rest[0];
                    }
                }
                rest.remove_prefix(1);
                if (!s.labels.emplace(label, value).second) throw bad("a label comes twice");
                if (rest.starts_with(',')) rest.remove_prefix(1);
            }
            rest.remove_prefix(1);
        }
        if (!rest.starts_with(' ')) throw bad("no value");
        const std::string number{rest.substr(1)};
        char* end = nullptr;
        s.value = std::strtod(number.c_str(), &end);
        if (number.empty() || *end) throw bad("no number");
        for (const auto& before : page[current].samples[name])
            if (before.labels == s.labels) throw bad("a sample comes twice");
        page[current].samples[name].push_back(std::move(s));
    }
    // Buckets ascend to +Inf, which is the count.
    for (const auto& [name, f] : page) {
        if (f.type != "histogram") continue;
        std::map<std::map<std::string, std::string>, std::pair<double, double>> last;
        for (auto s : f.samples.at(name + "_bucket")) {
            const auto le = s.labels.at("le");
            s.labels.erase("le");
            const auto bound = le == "+Inf" ? INFINITY : std::stod(le);
            auto [at, fresh] = last.try_emplace(s.labels, -INFINITY, 0);
            if (bound <= at->second.first || s.value < at->second.second) throw std::runtime_error{name + ": its buckets do not ascend"};
            at->second = {bound, s.value};
        }
        for (const auto& s : f.samples.at(name + "_count"))
            if (last.at(s.labels) != std::pair<double, double>{INFINITY, s.value}) throw std::runtime_error{name + ": the count is not the last bucket"};
        if (f.samples.at(name + "_sum").size() != last.size()) throw std::runtime_error{name + ": sums are missing"};
    }
    return page;
}

double value_of(const parsed_page& page, const std::string& name, const std::map<std::string, std::string>& labels) {
    for (const auto& [of, f] : page)
        for (const auto& [whole, samples] : f.samples)
            if (whole == name)
                for (const auto& s : samples)
                    if (s.labels == labels) return s.value;
    return -1;
}

}  // namespace

TEST_CASE("the page of a client at work is what was counted", "[metrics]") {
    rig r;
    const auto figures = std::make_shared<kw::metrics>();
    r.produce_and_read(r.client(figures));
    const auto text = figures->page();
    CAPTURE(text);
    const auto page = parse_page(text);
    const auto counted = figures->of("me");
    CHECK(value_of(page, "kafkawire_records_sent_total", {{"client", "me"}}) == 10);
    for (const auto& t : r.kafka->control().traffic()) {
        const std::string api{kw::protocol::find_api(t.api_key)->name};
        if (api == "Fetch") continue;  // the end cuts one off
        CAPTURE(api);
        const auto answered = value_of(page, "kafkawire_requests_total", {{"client", "me"}, {"api", api}, {"outcome", "answered"}});
        const auto failed = value_of(page, "kafkawire_requests_total", {{"client", "me"}, {"api", api}, {"outcome", "failed"}});
        CHECK(answered + failed == static_cast<double>(t.requests));
        CHECK(value_of(page, "kafkawire_request_bytes_total", {{"client", "me"}, {"api", api}, {"direction", "out"}}) == static_cast<double>(t.bytes_in));
        CHECK(value_of(page, "kafkawire_request_duration_seconds_count", {{"client", "me"}, {"api", api}}) == answered);
    }
    CHECK(value_of(page, "kafkawire_batch_records_sum", {{"client", "me"}}) == 10);
    CHECK(value_of(page, "kafkawire_batch_size_bytes_count", {{"client", "me"}}) == static_cast<double>(counted.batch_bytes.count()));
    CHECK(value_of(page, "kafkawire_queue_seconds_count", {{"client", "me"}}) == static_cast<double>(counted.batch_bytes.count()));
    CHECK(value_of(page, "kafkawire_rebalances_total", {{"client", "me"}, {"step", "assigned"}}) == 1);
    CHECK(value_of(page, "kafkawire_rebalances_total", {{"client", "me"}, {"step", "revoked"}}) == 1);
    CHECK(page.count("kafkawire_errors_total") == 0);
    // All are closed by now.
    for (const auto& [broker, n] : counted.connected) CHECK(n == 0);
    CHECK(value_of(page, "kafkawire_connection_events_total", {{"client", "me"}, {"event", "ready"}}) == value_of(page, "kafkawire_connection_events_total", {{"client", "me"}, {"event", "closed"}}));
}

TEST_CASE("lag, retries and errors by kind", "[metrics]") {
    rig r;
    const auto figures = std::make_shared<kw::metrics>();
    r.run([&]() -> asio::awaitable<void> {
        kw::client client{r.io, r.client(figures)};
        kw::producer producer{client};
        auto control = r.kafka->control();
        control.add({.api = 0, .count = 1, .error = kw::broker_errc::not_enough_replicas});
        const kw::record record{.topic = "orders", .value = "paid", .partition = 1};
        for (int i = 0; i < 5; ++i) co_await producer.async_send(record, asio::use_awaitable);
        control.add({.api = 0, .count = 1, .error = kw::broker_errc::topic_authorization_failed});
        auto [ec, at] = co_await producer.async_send(record, kw::as_tuple(asio::use_awaitable));
        CHECK(ec);
        kw::consumer_options slow;
        slow.max_poll_records = 2;
        kw::consumer consumer{client, slow};
        consumer.assign("orders", 1, kw::start_position{kw::start_position::kind::beginning});
        const auto batch = co_await consumer.async_poll(asio::use_awaitable);
        CHECK(batch.size() == 2);
        const auto page = parse_page(figures->page());
        CHECK(value_of(page, "kafkawire_consumer_lag", {{"client", "me"}, {"topic", "orders"}, {"partition", "1"}}) == 3);
        CHECK(value_of(page, "kafkawire_retries_total", {{"client", "me"}, {"component", "producer"}}) == 1);
        CHECK(value_of(page, "kafkawire_errors_total", {{"client", "me"}, {"component", "producer"}, {"kind", "TOPIC_AUTHORIZATION_FAILED"}}) == 1);
        CHECK(value_of(page, "kafkawire_connections", {{"client", "me"}, {"broker", r.kafka->bootstrap()}}) > 0);
        CHECK(value_of(page, "kafkawire_log_lines_total", {{"client", "me"}, {"level", "warning"}}) > 0);
    });
}

TEST_CASE("a page is valid whatever stands in it", "[metrics]") {
    kw::metrics m;
    CHECK(m.page().empty());
    const std::string odd = "a\"b\\c\nd\xff\xc3\xa4 {x=\"y\"} ";
    m.on_request({.client = odd, .broker = odd, .api_key = 3, .api_version = 1, .duration = std::chrono::milliseconds{20}, .bytes_out = 5, .bytes_in = 7});
    m.on_request({.client = odd, .broker = {}, .api_key = 12345});
    m.on_lag({odd, odd, 3, 1LL << 60});
    m.on_connection({odd, odd, "connecting", "ready", nullptr, false});
    m.on_batch({odd, odd, 1, 1'000'000'000, 5'000'000, std::chrono::hours{1}});
    m.set("files_open", 3.5, {{"kind", odd}}, odd);
    m.set("temperature", -INFINITY);
    const auto page = parse_page(m.page());
    const std::string shown = "a\"b\\c\nd?\xc3\xa4 {x=\"y\"} ";
    CHECK(value_of(page, "kafkawire_consumer_lag", {{"client", shown}, {"topic", shown}, {"partition", "3"}}) == static_cast<double>(1LL << 60));
    CHECK(value_of(page, "kafkawire_requests_total", {{"client", shown}, {"api", "12345"}, {"outcome", "answered"}}) == 1);
    CHECK(value_of(page, "kafkawire_request_duration_seconds_bucket", {{"client", shown}, {"api", "Metadata"}, {"le", "0.01"}}) == 0);
    CHECK(value_of(page, "kafkawire_request_duration_seconds_bucket", {{"client", shown}, {"api", "Metadata"}, {"le", "0.025"}}) == 1);
    CHECK(value_of(page, "kafkawire_queue_seconds_sum", {{"client", shown}}) == 3600);
    CHECK(value_of(page, "files_open", {{"kind", shown}}) == 3.5);
    CHECK(value_of(page, "temperature", {}) == -INFINITY);
}

TEST_CASE("a program adds gauges of its own", "[metrics]") {
    kw::metrics m;
    int pages = 0;
    m.before_page([&](kw::metrics& of) { of.set("pages", ++pages, {}, "How many there were."); });
    CHECK(m.page() == "# HELP pages How many there were.\n# TYPE pages gauge\npages 1\n");
    CHECK(m.page() == "# HELP pages How many there were.\n# TYPE pages gauge\npages 2\n");
    for (const auto name : {"", "1a", "a b", "kafkawire_x", "a-b"}) CHECK_THROWS_AS(m.set(name, 1), std::invalid_argument);
    for (const auto name : {"", "1a", "a:b", "__a"}) CHECK_THROWS_AS(m.set("a", 1, {{name, ""}}), std::invalid_argument);
}

TEST_CASE("every error has a name to be counted by", "[metrics]") {
    CHECK(kw::kind_of(kw::errc::no_broker_available) == "no_broker_available");
    CHECK(kw::kind_of(kw::broker_errc::not_leader_or_follower) == "NOT_LEADER_OR_FOLLOWER");
    CHECK(kw::kind_of(std::make_error_code(std::errc::not_enough_memory)) == "generic 12");
    int named = 0;
    for (int code = 1; code < 400; ++code) {
        const std::error_code ec{code, kw::category()};
        const bool known = ec.message() != std::error_code(9'999, kw::category()).message();
        CAPTURE(code, ec.message());
        CHECK(known == (kw::kind_of(ec).find(' ') == std::string::npos));
        named += known;
    }
    CHECK(named > 40);
}
