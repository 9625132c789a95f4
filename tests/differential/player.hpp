// Plays a script against one broker and gives its answers.
#pragma once
#include <kafkawire/protocol/api.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "link.hpp"
#include "names.hpp"
#include "script.hpp"

namespace differential {

/// One answer, and the entry of the script that it belongs to.
struct answer {
    const entry* of = nullptr;
    document content;  ///< {"api", "version", "answer"} or instead of that "closed", "silent", "skipped", "undecodable"
};

/// Plays one script. For one thread.
class player {
public:
    /// `bootstrap`: "host:port", a single node.
    player(std::string bootstrap, const allowances& allowed);
    /// Plays all entries. Throws script_error for mistakes in the script, std::runtime_error if the broker cannot be reached.
    std::vector<answer> play(const script& s);
    /// How many requests were sent that belong to the script.
    [[nodiscard]] std::size_t requests() const noexcept { return requests_; }

private:
    struct awaited {
        const entry* of;
        const kafkawire::protocol::api_info* api;
        std::int16_t version;
        std::int32_t correlation;
    };
    struct line {
        std::unique_ptr<connection> socket;
        std::deque<awaited> waiting;
    };
    // What came back: the message, or why there is none.
    struct outcome {
        document message;  // null if there is none
        document instead;
    };

    void run(const entry& e, std::vector<answer>& out);
    void request(const entry& e, std::int16_t version, std::vector<answer>& out);
    void raw(const entry& e, std::vector<answer>& out);
    void settle(const entry& e);
    void note(const entry& given_by, const awaited& of, outcome o, std::vector<answer>& out);

    line& line_of(const std::string& name);
    std::optional<kafkawire::protocol::bytes> frame(const entry& e, std::int16_t version, std::int32_t correlation, std::string& missing);
    bool post(const entry& e, std::int16_t version, outcome& wrong);
    outcome await(line& on);
    document decoded(const awaited& of, kafkawire::protocol::bytes_view frame, document& instead);
    document ask(const std::string& api, std::int16_t version, const document& body);

    std::string bootstrap_;
    const allowances& allowed_;
    names names_;
    std::map<std::string, line> lines_;
    std::int32_t correlation_ = 0;
    std::size_t requests_ = 0;
};

}  // namespace differential
