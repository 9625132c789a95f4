// readiness: one async_ready() on its way. Waits until the cluster has answered and the leaders of all topics in use can be reached, and can
// tell what is missing. Kept by its core until it is told.
#pragma once
#include "client/core.hpp"

namespace kafkawire::client_detail {

class readiness final : public begun, public lasting, private metadata_watcher, public std::enable_shared_from_this<readiness> {
public:
    readiness(core& c, std::unique_ptr<waiting_operation> what, std::chrono::milliseconds within);
    ~readiness();

    void go() override;
    void cancel() override;
    void client_closed() override;

private:
    void topics_changed() override { look(); }
    void brokers_changed() override { look(); }
    void begin();
    void look();
    void give_up();
    /// What is missing; no code if nothing is. Connects to leaders on the way.
    [[nodiscard]] error missing();
    [[nodiscard]] error missing_of(const topic_info& t);
    [[nodiscard]] error unreachable(std::int32_t broker_id, const topic_info& t) const;
    void finish(error why);

    core* core_;                                            // null: closed, or told
    std::unique_ptr<waiting_operation> operation_;
    std::unique_ptr<net::timer> timer_;
    std::chrono::milliseconds within_;
    std::uint64_t refreshes_before_ = 0;
};

}  // namespace kafkawire::client_detail
