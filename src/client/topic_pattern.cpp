#include "client/topic_pattern.hpp"

#include <regex.h>

#include <algorithm>
#include <array>

namespace kafkawire::client_detail {

// The C library's: small, and it does not take a stack frame for each letter.
class topic_pattern::expression {
public:
    /// Sets `wrong` if it cannot be.
    expression(const std::string& text, std::string& wrong) {
        // '^' is there; the end is ours, so that ^orders does not mean orders-old: ^orders.* does.
        const auto whole = "^(" + text.substr(1) + ")$";
        const int code = ::regcomp(&compiled_, whole.c_str(), REG_EXTENDED | REG_NOSUB);
        good_ = code == 0;
        if (good_) return;
        std::array<char, 200> said{};
        ::regerror(code, &compiled_, said.data(), said.size());
        wrong = said.data();
    }
    expression(const expression&) = delete;
    expression& operator=(const expression&) = delete;
    ~expression() {
        if (good_) ::regfree(&compiled_);
    }
    [[nodiscard]] bool matches(const std::string& topic) const noexcept { return ::regexec(&compiled_, topic.c_str(), 0, nullptr, 0) == 0; }

private:
    ::regex_t compiled_{};
    bool good_ = false;
};

void topic_pattern::sort(const std::vector<std::string>& from, std::set<std::string>& names, expressions& patterns) {
    for (const auto& t : from) {
        if (!t.starts_with('^')) {
            names.insert(t);
            continue;
        }
        std::string wrong;
        patterns.push_back(std::make_shared<const expression>(t, wrong));
        if (wrong.empty()) continue;
        throw system_error{configuration_error("topics has the pattern \"" + t + "\": " + wrong,
            "what begins with ^ is a POSIX extended regular expression of the whole name, as ^orders-.*")};
    }
}

topic_pattern::topic_pattern(const std::vector<std::string>& topics, const std::vector<std::string>& exclude) {
    sort(topics, names_, patterns_);
    sort(exclude, excluded_names_, excluded_patterns_);
    std::erase_if(names_, [this](const std::string& n) { return excluded(n); });
}

bool topic_pattern::excluded(const std::string& topic) const noexcept {
    return excluded_names_.contains(topic) || std::any_of(excluded_patterns_.begin(), excluded_patterns_.end(), [&](const auto& e) { return e->matches(topic); });
}

bool topic_pattern::matches(const std::string& topic) const noexcept {
    if (names_.contains(topic)) return true;
    return !excluded(topic) && std::any_of(patterns_.begin(), patterns_.end(), [&](const auto& e) { return e->matches(topic); });
}

std::string check_topic_pattern(std::string_view text) {
    if (text.empty()) return "a topic has a name";
    try {
        const topic_pattern one{{std::string{text}}, {}};
    } catch (const system_error& e) {
        return e.detail().text;
    }
    return {};
}

}  // namespace kafkawire::client_detail
