#include "broker/group_handlers.hpp"

namespace kafkawire::broker {

std::string uuid_text(const protocol::uuid& id) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < id.octets.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += digits[id.octets[i] >> 4];
        text += digits[id.octets[i] & 15];
    }
    return text;
}

}  // namespace kafkawire::broker
