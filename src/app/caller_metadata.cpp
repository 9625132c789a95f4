#include <kafkawire/app/caller_metadata.hpp>

#include <algorithm>

namespace kafkawire::inline v0_1 {
namespace app {

namespace {

const metadata no_metadata;
thread_local const metadata* metadata_now = &no_metadata;

}  // namespace

const metadata& current_metadata() noexcept { return *metadata_now; }

metadata_scope::metadata_scope(metadata what) : what_{std::move(what)}, before_{metadata_now} { metadata_now = &what_; }
metadata_scope::~metadata_scope() { metadata_now = before_; }

metadata metadata_of(const record_view& r) {
    metadata all;
    for (const auto& h : r.headers) all.insert_or_assign(std::string{h.key}, std::string{h.value.text()});
    return all;
}

metadata metadata_of(const consumer_record& r) {
    metadata all;
    for (const auto& h : r.headers) all.insert_or_assign(h.key, h.value.value_or(""));
    return all;
}

std::vector<header_view> merge_metadata(std::span<const header_view> own, const metadata& what, metadata_clash rule) {
    std::vector<header_view> all;
    all.reserve(own.size() + what.size());
    for (const auto& h : own) {
        const bool clash = what.find(h.key) != what.end();
        if (clash && rule == metadata_clash::refuse) {
            error e;
            e.code = kafkawire::errc::bad_configuration;
            e.text = "the record has a header \"" + std::string{h.key.substr(0, 100)} + "\", and so has the caller's metadata";
            e.hint = "give one of them another name, or say who wins: kw::app::metadata_clash";
            throw system_error{std::move(e)};
        }
        if (!clash || rule != metadata_clash::metadata_wins) all.push_back(h);
    }
    for (const auto& [name, value] : what) {
        const bool clash = std::any_of(own.begin(), own.end(), [&](const header_view& h) { return h.key == name; });
        if (!clash || rule != metadata_clash::record_wins) all.push_back({name, nullable_bytes{std::string_view{value}}});
    }
    return all;
}

handler with_caller_metadata(handler what) {
    const bool batched = what.batched();
    return {batched, [what = std::move(what)](call c) {
                const metadata_scope scope{c.messages().empty() ? metadata{} : metadata_of(c.message())};
                what(std::move(c));
            }};
}

}  // namespace app
}  // namespace kafkawire::inline v0_1
