// Figures as text: Prometheus's format, version 0.0.4.
#include <kafkawire/metrics.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace kafkawire::inline v0_1 {

namespace {

std::string figure(double v) {
    if (std::isnan(v)) return "NaN";
    if (std::isinf(v)) return v > 0 ? "+Inf" : "-Inf";
    std::array<char, 400> text;
    const auto [end, ec] = std::to_chars(text.data(), text.data() + text.size(), v, std::chars_format::fixed);
    return ec == std::errc{} ? std::string{text.data(), end} : std::string{"NaN"};
}

// How many bytes of `s` make one character of UTF-8; 0: none do.
std::size_t utf8_length(std::string_view s) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    const auto first = byte(0);
    const std::size_t n = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
    if (n == 0 || n > s.size()) return 0;
    for (std::size_t i = 1; i < n; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    if (n == 3 && ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) >= 0xa0))) return 0;
    if (n == 4 && ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) >= 0x90))) return 0;
    return n;
}

std::string escaped(std::string_view s, bool quotes) {
    std::string to;
    while (!s.empty()) {
        const auto n = utf8_length(s);
        if (n == 0) to += '?';
        else if (s[0] == '\\') to += "\\\\";
        else if (s[0] == '\n') to += "\\n";
        else if (quotes && s[0] == '"') to += "\\\"";
        else to += s.substr(0, n);
        s.remove_prefix(std::max<std::size_t>(n, 1));
    }
    return to;
}

std::string label(std::string_view name, std::string_view value) { return std::string{name} + "=\"" + escaped(value, true) + '"'; }

bool is_name(std::string_view name, bool colons) {
    const auto letter = [&](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':'); };
    return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// A page as it grows: all of one family stand together.
class page_writer {
public:
    void family(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        head_ = "# HELP " + name_ + ' ' + escaped(help, false) + "\n# TYPE " + name_ + ' ' + std::string{type} + '\n';
    }
    void sample(const std::string& labels, double value, std::string_view suffix = {}) {
        text_ += std::exchange(head_, {});  // a family of which there is nothing is not there
        text_ += name_;
        text_ += suffix;
        if (!labels.empty()) text_ += '{' + labels + '}';
        text_ += ' ' + figure(value) + '\n';
    }
    void samples(const std::string& labels, const histogram& h) {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < h.counts().size(); ++i) {
            sum += h.counts()[i];
            sample(labels + ',' + label("le", i < h.bounds().size() ? figure(h.bounds()[i]) : "+Inf"), static_cast<double>(sum), "_bucket");
        }
        sample(labels, h.sum(), "_sum");
        sample(labels, static_cast<double>(h.count()), "_count");
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string text_, name_, head_;
};

using all_clients = std::map<std::string, client_figures, std::less<>>;

void write_requests(page_writer& to, const all_clients& clients) {
    const auto each_api = [&](auto write) {
        for (const auto& [client, f] : clients)
            for (const auto& [api, r] : f.by_api) write(label("client", client) + ',' + label("api", api), r);
    };
    to.family("kafkawire_requests_total", "counter", "Requests that have ended, by API and by whether they were answered.");
    each_api([&](const std::string& labels, const client_figures::requests& r) {
        to.sample(labels + ",outcome=\"answered\"", static_cast<double>(r.answered));
        to.sample(labels + ",outcome=\"failed\"", static_cast<double>(r.failed));
    });
    to.family("kafkawire_request_bytes_total", "counter", "Bytes of requests (out) and their answers (in).");
    each_api([&](const std::string& labels, const client_figures::requests& r) {
        to.sample(labels + ",direction=\"out\"", static_cast<double>(r.bytes_out));
        to.sample(labels + ",direction=\"in\"", static_cast<double>(r.bytes_in));
    });
    to.family("kafkawire_request_duration_seconds", "histogram", "Time from a request to its answer.");
    each_api([&](const std::string& labels, const client_figures::requests& r) {
        if (r.seconds.count() > 0) to.samples(labels, r.seconds);
    });
}

template <class Map>
void write_counts(page_writer& to, const all_clients& clients, Map client_figures::*which, std::string_view name) {
    for (const auto& [client, f] : clients)
        for (const auto& [what, n] : f.*which) to.sample(label("client", client) + ',' + label(name, what), static_cast<double>(n));
}

void write_histogram(page_writer& to, const all_clients& clients, histogram client_figures::*which) {
    for (const auto& [client, f] : clients)
        if ((f.*which).count() > 0) to.samples(label("client", client), f.*which);
}

void write_clients(page_writer& to, const all_clients& clients) {
    write_requests(to, clients);
    to.family("kafkawire_connections", "gauge", "Connections that are up, by broker.");
    write_counts(to, clients, &client_figures::connected, "broker");
    to.family("kafkawire_connection_events_total", "counter", "What became of connections: ready, lost, failed before they were ready, closed, unused.");
    write_counts(to, clients, &client_figures::connections, "event");
    to.family("kafkawire_batch_size_bytes", "histogram", "Sizes of batches of records, as they are sent.");
    write_histogram(to, clients, &client_figures::batch_bytes);
    to.family("kafkawire_batch_records", "histogram", "Records in a batch.");
    write_histogram(to, clients, &client_figures::batch_records);
    to.family("kafkawire_queue_seconds", "histogram", "Time from the first record of a batch until it goes into a request.");
    write_histogram(to, clients, &client_figures::queue_seconds);
    to.family("kafkawire_records_sent_total", "counter", "Records in batches that went into requests.");
    for (const auto& [client, f] : clients)
        if (f.records > 0) to.sample(label("client", client), static_cast<double>(f.records));
    to.family("kafkawire_retries_total", "counter", "What was tried again: batches of producers, requests that went to another broker.");
    write_counts(to, clients, &client_figures::retries, "component");
    to.family("kafkawire_rebalances_total", "counter", "Steps of a group for its members here: partitions assigned, revoked, lost.");
    write_counts(to, clients, &client_figures::rebalances, "step");
    to.family("kafkawire_consumer_lag", "gauge", "Records between the position and the end, when records were handed out last.");
    for (const auto& [client, f] : clients)
        for (const auto& [of, lag] : f.lag)
            to.sample(label("client", client) + ',' + label("topic", of.first) + ',' + label("partition", std::to_string(of.second)), static_cast<double>(lag));
    to.family("kafkawire_errors_total", "counter", "Errors that the application was told of, and connections that failed, by kind.");
    for (const auto& [client, f] : clients)
        for (const auto& [of, n] : f.errors) to.sample(label("client", client) + ',' + label("component", of.first) + ',' + label("kind", of.second), static_cast<double>(n));
    to.family("kafkawire_log_lines_total", "counter", "Lines of the log, those left out too.");
    write_counts(to, clients, &client_figures::log_lines, "level");
}

}  // namespace

void metrics::set(std::string_view name, double value, const std::map<std::string, std::string>& labels, std::string_view help) {
    if (!is_name(name, true) || name.starts_with("kafkawire_")) throw std::invalid_argument{"metrics: a gauge cannot be named " + std::string{name.substr(0, 100)}};
    std::string written;
    for (const auto& [l, text] : labels) {
        if (!is_name(l, false) || l.starts_with("__")) throw std::invalid_argument{"metrics: a label cannot be named " + l.substr(0, 100)};
        written += (written.empty() ? "" : ",") + label(l, text);
    }
    const std::lock_guard held{lock_};
    auto& gauge = own_[std::string{name}];
    if (!help.empty()) gauge.help = help;
    gauge.values[std::move(written)] = value;
}

void metrics::before_page(std::function<void(metrics&)> what) {
    const std::lock_guard held{lock_};
    before_.push_back(std::move(what));
}

std::string metrics::page() {
    std::vector<std::function<void(metrics&)>> before;
    {
        const std::lock_guard held{lock_};
        before = before_;
    }
    for (const auto& b : before) b(*this);
    const std::lock_guard held{lock_};
    page_writer to;
    write_clients(to, clients_);
    for (const auto& [name, g] : own_) {
        to.family(name, "gauge", g.help.empty() ? "Set by the program." : g.help);
        for (const auto& [labels, value] : g.values) to.sample(labels, value);
    }
    return to.take();
}

}  // namespace kafkawire::inline v0_1
