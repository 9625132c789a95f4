// history: the last messages that passed, and how many did. A machine without time.
// Owns: copies of their bytes. Never: keeps more than it was told to.
#pragma once
#include <kafkawire/broker/observing.hpp>

#include <deque>
#include <map>
#include <vector>

namespace kafkawire::broker {

class history {
public:
    /// Keeps the last so many messages; 0: none.
    void keep(std::size_t messages);
    /// `body`: the parts of the message's bytes in their order; kept in a copy if they are short.
    void add(const passing& p, std::span<const protocol::bytes_view> body);
    [[nodiscard]] std::vector<passed> messages() const { return {last_.begin(), last_.end()}; }
    [[nodiscard]] std::vector<api_traffic> traffic() const;

private:
    std::size_t limit_ = 200;
    std::deque<passed> last_;
    std::map<std::int16_t, api_traffic> traffic_;
};

}  // namespace kafkawire::broker
