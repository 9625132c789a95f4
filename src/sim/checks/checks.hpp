// What the checks share: indexes over a history, made once, and the report that they write to.
#pragma once
#include <kafkawire/testing/check.hpp>

#include <unordered_map>

namespace kafkawire::testing::checks {

using id = history::id;
constexpr id none = static_cast<id>(-1);

struct place {
    std::int32_t partition;
    std::int64_t offset;
    bool operator==(const place&) const = default;
};
struct place_hash {
    std::size_t operator()(const place& p) const noexcept {
        return static_cast<std::size_t>((static_cast<std::uint64_t>(p.offset) * 0x9e3779b97f4a7c15) ^
                                        (static_cast<std::uint64_t>(p.partition) * 0xff51afd7ed558ccd));
    }
};

struct seen {  // of a value, when it was first seen somewhere
    place where;
    id reader = none;  // none: in the log
    bool in_log = false;
    bool visible = true;  // in the log
    bool read = false;
};

struct transaction_state {
    std::int32_t producer = -1;
    id end = none;
    outcome result = outcome::pending;
    bool commit = false;
    std::vector<id> sends;
    [[nodiscard]] bool committed() const noexcept { return commit && result == outcome::ok; }
    /// Certainly: an abort that was told, or a commit that was told to have failed.
    [[nodiscard]] bool aborted() const noexcept {
        return (!commit && end != none && result == outcome::ok) || (commit && result == outcome::failed);
    }
};

class checker {
public:
    checker(const history& h, const check_options& o) : h{h}, options{o} {}
    report run();

    void blame(const char* name, std::string text, std::vector<id> operations = {});

    // In the order in which they run; each is one of the files here.
    void index();
    void outcomes();
    void placement();
    void lost();
    void order_of_sends();
    void reading();
    void groups();
    void transactions();
    void cycles();

    [[nodiscard]] const operation& op(id i) const { return h.operations()[i]; }
    [[nodiscard]] std::string value_text(std::uint64_t v) const { return "value " + std::to_string(v); }
    [[nodiscard]] std::string at_text(const place& p) const { return h.name(p.partition) + " at " + std::to_string(p.offset); }
    [[nodiscard]] const std::vector<log_entry>* log_of(std::int32_t partition) const {
        const auto at = h.logs().find(partition);
        return at == h.logs().end() ? nullptr : &at->second;
    }
    /// What was acknowledged where its log has lost something since it was asked for: it may be missing, or lie where it was told to.
    [[nodiscard]] bool excused(const operation& o) const {
        for (const auto& l : h.losses())
            if (l.partition == o.partition && o.offset >= l.from && o.offset < l.end && o.began < l.at) return true;
        return false;
    }

    const history& h;
    const check_options& options;
    report out;
    std::unordered_map<std::uint64_t, id> send_of;   // by value
    std::unordered_map<std::uint64_t, seen> values;  // by value: in the log, else as read first
    std::unordered_map<place, std::uint64_t, place_hash> at;
    std::map<std::int64_t, transaction_state> of_transaction;
    std::map<std::int32_t, std::int64_t> highest_read;  // by partition
};

}  // namespace kafkawire::testing::checks
