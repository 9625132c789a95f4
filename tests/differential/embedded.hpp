// An embedded cluster of one node in a thread of its own, so that the scripts can block.
#pragma once
#include <memory>
#include <string>

namespace differential {

/// Runs from construction to destruction. Throws std::runtime_error if it cannot listen.
class embedded_broker {
public:
    embedded_broker();
    ~embedded_broker();
    embedded_broker(const embedded_broker&) = delete;
    embedded_broker& operator=(const embedded_broker&) = delete;
    [[nodiscard]] std::string bootstrap() const;

private:
    struct running;
    std::unique_ptr<running> running_;
};

}  // namespace differential
