// missing_topics: topics that were subscribed to by name and cannot be read: who asked for them is told, once, until they can be. Decides when;
// no I/O, no clock. One that the cluster does not have gets some time: it may be on its way through the brokers.
#pragma once
#include <kafkawire/environment.hpp>
#include <kafkawire/error.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>

namespace kafkawire::client_detail {

class missing_topics {
public:
    explicit missing_topics(std::chrono::milliseconds patience = std::chrono::seconds{10}) noexcept : patience_{patience} {}

    /// What the cluster says of a topic; no code: it is there.
    void said(const std::string& topic, std::error_code code, net::time_point now);
    /// These alone are wanted.
    void keep(const std::set<std::string>& topics);
    /// What is to be told now; nothing: nobody is missing, or it is too early. Again until it says nothing.
    [[nodiscard]] std::optional<error> next(net::time_point now);
    [[nodiscard]] std::optional<net::time_point> next_wakeup() const noexcept;

private:
    struct one {
        std::error_code code;
        net::time_point tell_at;
        bool told = false;
    };
    std::chrono::milliseconds patience_;
    std::map<std::string, one> all_;
};

}  // namespace kafkawire::client_detail
