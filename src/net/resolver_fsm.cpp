#include "net/resolver_fsm.hpp"

#include <kafkawire/error.hpp>

#include <algorithm>
#include <charconv>

namespace kafkawire::net {

namespace {

constexpr std::chrono::milliseconds resolution_delay{50};
constexpr std::size_t max_servers = 3, max_search = 6;

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> found;
    for (;;) {
        const auto from = line.find_first_not_of(" \t\r");
        if (from == std::string_view::npos) return found;
        line.remove_prefix(from);
        const auto end = std::min(line.find_first_of(" \t\r"), line.size());
        found.push_back(line.substr(0, end));
        line.remove_prefix(end);
    }
}

template <class F>
void each_line(std::string_view text, F&& f) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        f(words(line.substr(0, std::min(line.find_first_of("#;"), line.size()))));
        text.remove_prefix(std::min(text.size(), end + 1));
    }
}

bool same_name(std::string_view a, std::string_view b) {
    const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return low(x) == low(y); });
}

std::uint64_t next_random(std::uint64_t& state) {  // SplitMix64
    auto z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

}  // namespace

resolv_conf parse_resolv_conf(std::string_view text) {
    resolv_conf conf;
    each_line(text, [&](const std::vector<std::string_view>& w) {
        if (w.size() < 2) return;
        if (w[0] == "nameserver") {
            if (const auto a = ip_address::parse(w[1]); a && conf.servers.size() < max_servers) conf.servers.push_back({*a, 53});
        } else if (w[0] == "search" || w[0] == "domain") {
            conf.search.assign(w.begin() + 1, w.begin() + 1 + static_cast<std::ptrdiff_t>(std::min(w.size() - 1, max_search)));
        } else if (w[0] == "options") {
            for (const auto o : std::span{w}.subspan(1)) {
                const auto colon = o.find(':');
                if (colon == std::string_view::npos) continue;
                int n = 0;
                std::from_chars(o.data() + colon + 1, o.data() + o.size(), n);
                const auto name = o.substr(0, colon);
                if (name == "ndots") conf.ndots = std::clamp(n, 0, 15);
                if (name == "timeout") conf.timeout = std::chrono::seconds{std::clamp(n, 1, 30)};
                if (name == "attempts") conf.attempts = std::clamp(n, 1, 5);
            }
        }
    });
    if (conf.servers.empty()) conf.servers.push_back({*ip_address::parse("127.0.0.1"), 53});
    return conf;
}

std::vector<ip_address> find_in_hosts(std::string_view text, std::string_view name) {
    if (!name.empty() && name.back() == '.') name.remove_suffix(1);
    std::vector<ip_address> found;
    each_line(text, [&](const std::vector<std::string_view>& w) {
        if (w.size() < 2 || std::none_of(w.begin() + 1, w.end(), [&](auto n) { return same_name(n, name); })) return;
        const auto a = ip_address::parse(w[0]);
        if (a && std::find(found.begin(), found.end(), *a) == found.end()) found.push_back(*a);
    });
    return found;
}

std::vector<std::string> search_list(std::string_view host, const resolv_conf& conf) {
    std::vector<std::string> names;
    if (!host.empty() && host.back() == '.') return {std::string{host}};
    const bool dotted = std::count(host.begin(), host.end(), '.') >= conf.ndots;
    if (dotted) names.emplace_back(host);
    for (const auto& s : conf.search)
        if (s != ".") names.push_back(std::string{host} + '.' + s);
    if (!dotted) names.emplace_back(host);
    return names;
}

resolver_fsm::resolver_fsm(std::string host, resolv_conf conf, std::uint64_t seed) : host_{std::move(host)}, conf_{std::move(conf)}, random_{seed} {
    names_ = search_list(host_, conf_);
    std::reverse(names_.begin(), names_.end());
}

void resolver_fsm::step(const resolving_host::event& e, time_point now, resolving_host::actions& out) {
    if (finished_) return;
    std::visit([&](const auto& what) { on(what, now, out); }, e);
}

std::optional<time_point> resolver_fsm::next_wakeup() const noexcept {
    std::optional<time_point> at;
    if (finished_) return at;
    for (const auto& q : questions_)
        if (q.at == question::stage::asked) at = at ? std::min(*at, q.deadline) : q.deadline;
    return at;
}

void resolver_fsm::on(const resolving_host::begin&, time_point now, resolving_host::actions& out) { next_name(now, out); }

void resolver_fsm::next_name(time_point now, resolving_host::actions& out) {
    if (names_.empty()) return end(out);
    name_ = std::move(names_.back());
    names_.pop_back();
    questions_ = {};
    questions_[0].type = dns::record_type::aaaa;
    questions_[1].type = dns::record_type::a;
    if (!dns::make_query(0, name_, dns::record_type::a)) {
        trouble_ = '"' + name_ + "\" is not a host name";
        return next_name(now, out);
    }
    for (auto& q : questions_) ask(q, false, now, out);
}

void resolver_fsm::ask(question& q, bool tcp, time_point now, resolving_host::actions& out) {
    q.at = question::stage::asked;
    q.tcp = tcp;
    q.query = next_query_++;
    q.id = static_cast<std::uint16_t>(next_random(random_));
    q.deadline = now + conf_.timeout;
    const auto& server = conf_.servers[static_cast<std::size_t>(q.tries) % conf_.servers.size()];
    out.push_back(resolving_host::ask{q.query, server, tcp, *dns::make_query(q.id, name_, q.type)});
}

void resolver_fsm::retry(question& q, time_point now, resolving_host::actions& out) {
    out.push_back(resolving_host::drop{std::exchange(q.query, -1)});
    if (++q.tries >= conf_.attempts * static_cast<int>(conf_.servers.size())) return settle(q, now, out);
    ask(q, false, now, out);
}

void resolver_fsm::settle(question& q, time_point now, resolving_host::actions& out) {
    q.at = question::stage::settled;
    if (q.query >= 0) out.push_back(resolving_host::drop{std::exchange(q.query, -1)});
    auto& other = &q == &questions_[0] ? questions_[1] : questions_[0];
    if (other.at != question::stage::settled) {
        if (!q.found.empty()) other.deadline = std::min(other.deadline, now + resolution_delay);
        return;
    }
    if (q.found.empty() && other.found.empty()) return next_name(now, out);
    end(out);
}

void resolver_fsm::end(resolving_host::actions& out) {
    finished_ = true;
    resolver::answer a;
    for (const auto& q : questions_) a.addresses.insert(a.addresses.end(), q.found.begin(), q.found.end());
    if (a.addresses.empty()) {
        a.code = errc::resolve_failed;
        a.text = "no address for \"" + host_ + '"' + (trouble_.empty() ? "" : ": " + trouble_);
    }
    out.push_back(resolving_host::finish{std::move(a)});
}

void resolver_fsm::on(const resolving_host::got_reply& e, time_point now, resolving_host::actions& out) {
    auto* q = find(e.query);
    if (!q) return;
    auto r = dns::read_reply(e.message, q->id, name_, q->type);
    const auto& server = conf_.servers[static_cast<std::size_t>(q->tries) % conf_.servers.size()];
    switch (r.what) {
        case dns::reply::kind::ignore:
            if (q->tcp) retry(*q, now, out);  // nothing else will come on that stream
            return;
        case dns::reply::kind::addresses:
            if (r.addresses.empty() && trouble_.empty()) trouble_ = "the name exists but has no address";
            q->found = std::move(r.addresses);
            return settle(*q, now, out);
        case dns::reply::kind::no_name:
            trouble_ = "the name does not exist";
            return settle(*q, now, out);
        case dns::reply::kind::truncated:
            if (q->tcp) return retry(*q, now, out);
            out.push_back(resolving_host::drop{q->query});
            return ask(*q, true, now, out);
        case dns::reply::kind::failure:
            trouble_ = "name server " + server.to_string() + " answers with error " + std::to_string(r.rcode);
            return retry(*q, now, out);
    }
}

void resolver_fsm::on(const resolving_host::query_failed& e, time_point now, resolving_host::actions& out) {
    auto* q = find(e.query);
    if (!q) return;
    const auto& server = conf_.servers[static_cast<std::size_t>(q->tries) % conf_.servers.size()];
    trouble_ = "name server " + server.to_string() + ": " + e.why;
    retry(*q, now, out);
}

void resolver_fsm::on(const resolving_host::tick&, time_point now, resolving_host::actions& out) {
    for (auto& q : questions_) {
        if (finished_ || q.at != question::stage::asked || now < q.deadline) continue;
        auto& other = &q == &questions_[0] ? questions_[1] : questions_[0];
        if (other.at == question::stage::settled && !other.found.empty()) {
            settle(q, now, out);
            continue;
        }
        const auto& server = conf_.servers[static_cast<std::size_t>(q.tries) % conf_.servers.size()];
        trouble_ = "name server " + server.to_string() + " does not answer";
        retry(q, now, out);
    }
}

resolver_fsm::question* resolver_fsm::find(int query) noexcept {
    for (auto& q : questions_)
        if (q.at == question::stage::asked && q.query == query) return &q;
    return nullptr;
}

}  // namespace kafkawire::net
