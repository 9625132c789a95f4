#include "net/dns.hpp"

#include <algorithm>

namespace kafkawire::net::dns {

namespace {

constexpr std::size_t max_name = 255, max_label = 63, max_addresses = 64;

std::string lower(std::string_view text) {
    std::string s{text};
    for (auto& c : s)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (!s.empty() && s.back() == '.') s.pop_back();
    return s;
}

// Reads within the message; once something does not fit, everything after reads as zero and good() is false.
class cursor {
public:
    explicit cursor(std::span<const std::byte> message) : message_{message} {}
    [[nodiscard]] bool good() const { return good_; }
    std::uint16_t u16() {
        if (!need(2)) return 0;
        const auto v = static_cast<std::uint16_t>(octet(at_) << 8 | octet(at_ + 1));
        at_ += 2;
        return v;
    }
    void skip(std::size_t n) {
        if (need(n)) at_ += n;
    }
    std::span<const std::byte> bytes(std::size_t n) {
        if (!need(n)) return {};
        at_ += n;
        return message_.subspan(at_ - n, n);
    }
    // A name, in lower case without the last dot. A pointer must lead before the place that it was read from, so there is no loop.
    std::string name() {
        std::string text;
        std::size_t at = at_, floor = at_;
        bool jumped = false;
        while (good_) {
            if (at >= message_.size()) return fail();
            const auto length = octet(at);
            if (length >= 0xc0) {
                if (at + 1 >= message_.size()) return fail();
                const auto to = static_cast<std::size_t>((length & 0x3f) << 8 | octet(at + 1));
                if (!jumped) at_ = at + 2;
                jumped = true;
                if (to >= floor) return fail();
                at = floor = to;
                continue;
            }
            if (length > max_label || at + 1 + length > message_.size()) return fail();
            at += 1;
            if (length == 0) break;
            if (!text.empty()) text += '.';
            for (std::size_t i = 0; i < length; ++i) text += static_cast<char>(octet(at + i));
            if (text.size() > max_name) return fail();
            at += length;
        }
        if (!jumped) at_ = at;
        return lower(text);
    }

private:
    [[nodiscard]] unsigned octet(std::size_t at) const { return std::to_integer<unsigned>(message_[at]); }
    bool need(std::size_t n) {
        if (!good_ || message_.size() - at_ < n) good_ = false;
        return good_;
    }
    std::string fail() {
        good_ = false;
        return {};
    }

    std::span<const std::byte> message_;
    std::size_t at_ = 0;
    bool good_ = true;
};

}  // namespace

std::optional<std::vector<std::byte>> make_query(std::uint16_t id, std::string_view name, record_type what) {
    if (!name.empty() && name.back() == '.') name.remove_suffix(1);
    if (name.empty() || name.size() > 253) return {};
    std::vector<std::byte> q;
    const auto u16 = [&](unsigned v) {
        q.push_back(static_cast<std::byte>(v >> 8));
        q.push_back(static_cast<std::byte>(v));
    };
    u16(id);
    u16(0x0100);  // recursion desired
    u16(1);       // one question
    u16(0), u16(0), u16(0);
    while (!name.empty()) {
        const auto label = name.substr(0, name.find('.'));
        if (label.empty() || label.size() > max_label) return {};
        q.push_back(static_cast<std::byte>(label.size()));
        for (const char c : label) q.push_back(static_cast<std::byte>(c));
        name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    q.push_back(std::byte{0});
    u16(static_cast<unsigned>(what));
    u16(1);  // IN
    return q;
}

reply read_reply(std::span<const std::byte> message, std::uint16_t id, std::string_view name, record_type what) {
    cursor in{message};
    reply r;
    const auto got_id = in.u16(), flags = in.u16(), questions = in.u16(), answers = in.u16();
    in.skip(4);
    if (!in.good() || got_id != id || !(flags & 0x8000) || questions != 1) return r;
    const auto asked = in.name();
    const auto asked_type = in.u16(), asked_class = in.u16();
    if (!in.good() || asked != lower(name) || asked_type != static_cast<std::uint16_t>(what) || asked_class != 1) return r;
    r.rcode = flags & 0xf;
    if (flags & 0x0200) return r.what = reply::kind::truncated, r;
    if (r.rcode == 3) return r.what = reply::kind::no_name, r;
    if (r.rcode != 0) return r.what = reply::kind::failure, r;
    // Servers put a CNAME before what it leads to; an address of another name than the chain's is not for us.
    std::string wanted = asked;
    for (unsigned i = 0; i < answers && in.good(); ++i) {
        const auto owner = in.name();
        const auto type = in.u16(), cls = in.u16();
        in.skip(4);  // time to live: nothing is kept
        const auto length = in.u16();
        if (cls == 1 && owner == wanted && type == static_cast<std::uint16_t>(record_type::cname)) {
            wanted = in.name();  // its pointers are those of the message, and its length is what it used
            continue;
        }
        const auto data = in.bytes(length);
        if (!in.good()) break;
        const std::size_t size = what == record_type::a ? 4 : 16;
        if (cls != 1 || owner != wanted || type != static_cast<std::uint16_t>(what) || length != size || r.addresses.size() >= max_addresses) continue;
        ip_address a;
        a.v6 = what == record_type::aaaa;
        for (std::size_t k = 0; k < size; ++k) a.octets[k] = std::to_integer<std::uint8_t>(data[k]);
        r.addresses.push_back(a);
    }
    r.what = in.good() ? reply::kind::addresses : reply::kind::ignore;
    if (!in.good()) r.addresses.clear();
    return r;
}

}  // namespace kafkawire::net::dns
