#include "group/subscription.hpp"

#include <algorithm>
#include <type_traits>

#include "protocol/reader.hpp"

namespace kafkawire::group {

using namespace protocol;

namespace {

template <class Message>
wire_error read_versioned(bytes_view from, Message& to) {
    reader r{from};
    const auto version = r.fixed<std::int16_t>();
    if (r.failed()) return r.error();
    if (version < 0) return {errc::unsupported_version, 0, "version", std::to_string(version) + " was never one"};
    std::size_t used = 0;
    auto wrong = decode_prefix(schema_of<Message>(), &to, from.subspan(r.offset()), std::min(version, Message::versions.highest), used);
    wrong.offset += wrong ? r.offset() : 0;
    return wrong;
}

template <class Message>
wire_error write_versioned(const Message& from, bytes& to, std::int16_t version) {
    const auto before = to.size();
    to.push_back(static_cast<std::byte>(static_cast<std::uint16_t>(version) >> 8));
    to.push_back(static_cast<std::byte>(version & 0xff));
    auto wrong = encode(from, version, to);
    if (wrong) to.resize(before);
    return wrong;
}

// A list's length, which the bytes that are left must be able to hold.
std::size_t count(reader& r, std::size_t smallest_element) {
    const auto at = r.offset();
    const auto n = r.fixed<std::int32_t>();
    if (r.failed()) return 0;
    if (n >= 0 && static_cast<std::size_t>(n) <= r.left() / smallest_element) return static_cast<std::size_t>(n);
    r.fail_at(errc::bad_length, at, std::to_string(n) + " elements announced, " + std::to_string(r.left()) + " bytes left");
    return 0;
}

template <class T>
void put(T value, bytes& to) {
    for (int shift = 8 * (sizeof(T) - 1); shift >= 0; shift -= 8) to.push_back(static_cast<std::byte>(static_cast<std::make_unsigned_t<T>>(value) >> shift));
}

}  // namespace

wire_error read_subscription(bytes_view from, subscription_message& to) { return read_versioned(from, to); }

wire_error read_assignment(bytes_view from, assignment_message& to) { return from.empty() ? wire_error{} : read_versioned(from, to); }

wire_error write_subscription(const subscription_message& from, bytes& to, std::int16_t version) { return write_versioned(from, to, version); }

wire_error write_assignment(const assignment_message& from, bytes& to, std::int16_t version) { return write_versioned(from, to, version); }

wire_error read_sticky_user_data(bytes_view from, sticky_user_data& to) {
    to = {};
    reader r{from};
    for (auto topics = count(r, sizeof(std::int16_t) + sizeof(std::int32_t)); topics != 0 && !r.failed(); --topics) {
        const auto length = r.fixed<std::int16_t>();
        if (length < 0) r.fail(errc::bad_value, "a topic without a name");
        const auto name = r.take(length < 0 ? 0 : static_cast<std::size_t>(length));
        const auto n = count(r, sizeof(std::int32_t));
        if (r.failed()) break;
        auto& t = to.previous.emplace_back();
        t.topic.assign(reinterpret_cast<const char*>(name.data()), name.size());
        t.partitions.resize(n);
        for (auto& p : t.partitions) p = r.fixed<std::int32_t>();
    }
    if (r.failed()) {
        to = {};
        return r.error();
    }
    if (r.left() >= sizeof(std::int32_t)) to.generation = r.fixed<std::int32_t>();
    return {};
}

void write_sticky_user_data(const sticky_user_data& from, bytes& to) {
    put(static_cast<std::int32_t>(from.previous.size()), to);
    for (const auto& t : from.previous) {
        put(static_cast<std::int16_t>(t.topic.size()), to);
        for (const char c : t.topic) to.push_back(static_cast<std::byte>(c));
        put(static_cast<std::int32_t>(t.partitions.size()), to);
        for (const auto p : t.partitions) put(p, to);
    }
    put(from.generation, to);
}

wire_error read_cooperative_user_data(bytes_view from, std::int32_t& generation) {
    reader r{from};
    const auto said = r.fixed<std::int32_t>();
    if (r.failed()) return r.error();
    generation = said;
    return {};
}

void write_cooperative_user_data(std::int32_t generation, bytes& to) { put(generation, to); }

}  // namespace kafkawire::group
