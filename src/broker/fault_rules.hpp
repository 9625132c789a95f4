// fault_rules: the faults of a cluster in their order, and which of them a request is hit by. A machine without time.
// Owns: the faults, their counts, their own source of chance (so that a fault more does not change the ids that the cluster chooses).
// Never: carries anything out; see fault_fsm.cpp.
#pragma once
#include <kafkawire/broker/faults.hpp>
#include <kafkawire/error.hpp>

#include <vector>

#include "broker/random.hpp"

namespace kafkawire::broker {

class cluster_state;

/// What a fault can be about. Valid during the call.
struct request_facts {
    std::int16_t api_key = 0;
    std::int16_t version = 0;
    std::int32_t node = 0;
    connection_id connection = 0;
    std::string_view client_id;
    const protocol::message_schema* schema = nullptr;
    const void* message = nullptr;
    cluster_state* cluster = nullptr;              // knows the topics' ids; null: topics are told by name only
};

class fault_rules {
public:
    explicit fault_rules(std::uint64_t seed) noexcept : random_{seed} {}

    /// Why the fault can never happen; nothing: it can.
    [[nodiscard]] static std::optional<std::string> refuse(const fault& f);
    /// refuse() must have said nothing.
    fault_id add(fault f);
    /// False: there is none of that name. What has been hit already goes on as the fault said.
    bool remove(fault_id id);
    void clear() { rules_.clear(); }
    /// The fault that hits this request, counted; or null. Valid until the faults change.
    [[nodiscard]] const fault* take(const request_facts& of);
    /// In their order. What was removed is not among them.
    [[nodiscard]] std::vector<fault_count> counts() const;
    [[nodiscard]] bool empty() const noexcept { return rules_.empty(); }
    [[nodiscard]] random_source& random() noexcept { return random_; }

private:
    struct rule {
        fault_id id;
        fault what;
        std::int64_t matched = 0, hits = 0;
        [[nodiscard]] bool spent() const noexcept { return what.count >= 0 && hits >= what.count; }
    };
    [[nodiscard]] bool applies(const fault& f, const request_facts& of);

    std::vector<rule> rules_;
    fault_id last_ = 0;
    random_source random_;
};

}  // namespace kafkawire::broker
