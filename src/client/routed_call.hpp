// routed_call: one request of the application (or of the client itself) on its way: to a broker, perhaps to another one, and back.
// Owns: the operation, until it is told. Its core owns the decision where to go next.
#pragma once
#include "client/core.hpp"

namespace kafkawire::client_detail {

class routed_call final : public net::call, public begun, public std::enable_shared_from_this<routed_call> {
public:
    routed_call(std::shared_ptr<core> c, std::unique_ptr<operation> what);

    protocol::wire_error encode(std::int16_t version, std::int32_t correlation_id, std::string_view client_id, protocol::scatter& to) override;
    void done(net::outcome result) override;
    void go() override;
    void cancel() override;
    void finish(error why, answer_info info = {});

private:
    friend class core;

    void take(net::outcome& result);
    [[nodiscard]] error read_answer(const net::outcome& result);
    [[nodiscard]] bool may_go_elsewhere(const net::outcome& result) const;

    std::shared_ptr<core> core_;
    std::unique_ptr<operation> operation_;                  // null: told, or nobody wants to know any more
    std::vector<std::size_t> tried_;                        // of the directory, in order; the last one has it now
    std::vector<error> failures_;                           // one for each that failed
};

}  // namespace kafkawire::client_detail
