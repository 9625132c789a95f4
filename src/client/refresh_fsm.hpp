// refresh_fsm: when the cluster is asked what it looks like, and when a second broker is asked because the first one says nothing.
// Never: asks in a hot loop, waits for one silent broker while another would answer. No I/O, no clock; the core sends and feeds back.
//
//   quiet -> waiting -> asking -> quiet or waiting
#pragma once
#include <kafkawire/environment.hpp>

#include <variant>

namespace kafkawire::client_detail {

struct refresh_settings {
    std::chrono::milliseconds first_pause{100};             ///< between questions that follow each other, doubling ...
    std::chrono::milliseconds longest_pause{1'000};         ///< ... to this while somebody keeps asking for them
    std::chrono::milliseconds patience{3'000};              ///< then another broker is asked too; the first may still answer
    std::chrono::milliseconds max_age{300'000};
};

class refresh_fsm {
public:
    // The states, each with the data that exists only there.
    struct quiet {};                                        // nothing is missing; at most the age of what is known matters
    struct waiting { net::time_point due; };                // a question is wanted and has to keep its distance to the one before
    struct asking { net::time_point another; bool again = false; bool at_once = false; };  // again: asked for meanwhile
    using state = std::variant<quiet, waiting, asking>;
    enum class action : std::uint8_t { none, ask, ask_another };

    explicit refresh_fsm(refresh_settings s) : settings_{s} {}

    /// What is known seems wrong.
    void want(net::time_point now);
    /// Something is to be asked that never was: no pause before it.
    void want_at_once(net::time_point now);
    /// What is to be done now.
    [[nodiscard]] action step(net::time_point now);
    /// `settled`: nothing is missing that will come by itself; `follow_up`: a second question belongs to this one; `doubted`: some broker says
    /// nothing, and others may get its partitions at any time, of which nobody will tell us: asked again after longest_pause.
    void answered(net::time_point now, bool settled, bool follow_up = false, bool doubted = false);
    void failed(net::time_point now);
    /// Somebody uses topics from now on: what is known must not get too old.
    void keep_fresh() noexcept { keep_fresh_ = true; }

    [[nodiscard]] const state& where() const noexcept { return state_; }
    [[nodiscard]] std::optional<net::time_point> next_wakeup() const noexcept;

private:
    [[nodiscard]] net::time_point after_pause(net::time_point now) const noexcept;

    refresh_settings settings_;
    state state_;
    std::optional<net::time_point> learned_;                // when the last answer came
    std::optional<net::time_point> last_;                   // when the last question was settled, well or not
    std::chrono::milliseconds pause_{0};                    // to be kept after it
    std::chrono::milliseconds own_pause_{0};                // between questions that only the table itself wants; grows to max_age
    std::optional<net::time_point> unsettled_;              // when to look again although nobody asked
    bool keep_fresh_ = false;
};

}  // namespace kafkawire::client_detail
