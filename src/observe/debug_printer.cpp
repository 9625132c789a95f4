#include <kafkawire/observe.hpp>
#include <kafkawire/protocol/api.hpp>

#include <algorithm>
#include <cstdio>

namespace kafkawire::inline v0_1 {

namespace {

std::string of_milliseconds(std::chrono::nanoseconds d) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(d).count();
    auto parts = std::to_string(us % 1000 + 1000);
    return std::to_string(us / 1000) + '.' + parts.substr(1) + " ms";
}

std::string cut(std::string text, std::size_t longest) {
    if (text.size() <= longest) return text;
    const auto more = text.size() - longest;
    text.resize(longest);
    return text + "... " + std::to_string(more) + " more bytes of text";
}

// Several in the place of one.
class fan final : public observer {
public:
    explicit fan(std::vector<std::shared_ptr<observer>> to) : to_{std::move(to)} {}
    [[nodiscard]] bool wants_bytes() const noexcept override {
        return std::any_of(to_.begin(), to_.end(), [](const auto& o) { return o->wants_bytes(); });
    }
    void on_log(const log_line& l) override {
        each([&](observer& o) { o.on_log(l); });
    }
    void on_request(const request_seen& r) override {
        each([&](observer& o) { o.on_request(r); });
    }
    void on_connection(const connection_seen& c) override {
        each([&](observer& o) { o.on_connection(c); });
    }
    void on_batch(const batch_seen& b) override {
        each([&](observer& o) { o.on_batch(b); });
    }
    void on_retry(const retry_seen& r) override {
        each([&](observer& o) { o.on_retry(r); });
    }
    void on_rebalance(const rebalance_seen& r) override {
        each([&](observer& o) { o.on_rebalance(r); });
    }
    void on_lag(const lag_seen& l) override {
        each([&](observer& o) { o.on_lag(l); });
    }
    void on_error(const error_seen& e) override {
        each([&](observer& o) { o.on_error(e); });
    }

private:
    // One that throws keeps nothing from the others.
    template <class F>
    void each(F f) {
        for (const auto& o : to_) {
            try {
                f(*o);
            } catch (...) {
            }
        }
    }
    const std::vector<std::shared_ptr<observer>> to_;
};

}  // namespace

void debug_printer::print(std::string line) {
    std::replace(line.begin(), line.end(), '\n', ' ');
    const std::lock_guard held{lock_};
    if (to_) return to_(line);
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
}

void debug_printer::on_log(const log_line& l) { print("kafkawire " + std::string{l.client} + ' ' + to_string(l)); }

void debug_printer::on_request(const request_seen& r) {
    const auto* api = protocol::find_api(r.api_key);
    auto line = "kafkawire " + std::string{r.client} + ' ' + std::string{r.broker} + ' ' + (api ? std::string{api->name} : "API " + std::to_string(r.api_key));
    if (r.api_version >= 0) line += " v" + std::to_string(r.api_version);
    line += ": ";
    if (r.api_version < 0) line += "not sent";
    else line += of_milliseconds(r.duration) + ", " + std::to_string(r.bytes_out) + " bytes out, " + std::to_string(r.bytes_in) + " in";
    if (r.why) line += "; failed: " + r.why->message();
    if (!r.request.empty()) line += "; request " + cut(frame_text(r.api_key, r.api_version, false, r.request), longest_);
    if (!r.answer.empty()) line += "; answer " + cut(frame_text(r.api_key, r.api_version, true, r.answer), longest_);
    if (r.request.empty() && r.api_version >= 0) line += "; request and answer (hidden)";
    print(std::move(line));
}

void debug_printer::on_connection(const connection_seen& c) {
    auto line = "kafkawire " + std::string{c.client} + ' ' + std::string{c.broker} + " connection: " + std::string{c.from} + " -> " + std::string{c.to};
    if (c.why) line += "; " + c.why->message();
    print(std::move(line));
}

std::shared_ptr<observer> debug_to_stderr() {
    static const auto one = std::make_shared<debug_printer>();
    return one;
}

bool debug_is_asked_for(const char* const* variables) noexcept {
    constexpr std::string_view name = "KAFKAWIRE_DEBUG=";
    for (; variables && *variables; ++variables) {
        std::string_view one = *variables;
        if (!one.starts_with(name)) continue;
        one.remove_prefix(name.size());
        const auto is = [&](std::string_view word) { return std::equal(one.begin(), one.end(), word.begin(), word.end(), [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; }); };
        return !one.empty() && !is("0") && !is("false") && !is("no") && !is("off");
    }
    return false;
}

std::shared_ptr<observer> all_of(std::vector<std::shared_ptr<observer>> those) {
    std::erase(those, nullptr);
    if (those.empty()) return nullptr;
    if (those.size() == 1) return those.front();
    return std::make_shared<fan>(std::move(those));
}

}  // namespace kafkawire::inline v0_1
