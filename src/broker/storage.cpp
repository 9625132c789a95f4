// What all storages share, and the one in memory.
#include "broker/storage.hpp"

#include <algorithm>
#include <cstring>

namespace kafkawire::broker {

std::error_code storage::replace(std::string_view name, std::string_view text, bool flush) {
    const auto beside = std::string{name} + ".new";
    if (auto ec = remove(beside)) return ec;
    std::error_code ec;
    const auto file = open(beside, ec);
    if (ec) return ec;
    if ((ec = file->append(std::as_bytes(std::span{text})))) return ec;
    if (flush && (ec = file->flush())) return ec;
    return rename(beside, name);
}

std::optional<std::string> storage::load(std::string_view name, std::size_t limit) {
    std::error_code ec;
    const auto file = open(name, ec, true);
    if (ec || file->size() > limit) return {};
    std::string text(static_cast<std::size_t>(file->size()), '\0');
    if (file->read(0, std::as_writable_bytes(std::span{text}))) return {};
    return text;
}

class memory_file final : public storage_file {
public:
    memory_file(std::shared_ptr<memory_storage::content> of, const bool& full) : of_{std::move(of)}, full_{full} {}
    [[nodiscard]] std::uint64_t size() const noexcept override { return of_->data.size(); }
    std::error_code append(protocol::bytes_view data) override {
        if (full_) return std::make_error_code(std::errc::no_space_on_device);
        of_->data.insert(of_->data.end(), data.begin(), data.end());
        return {};
    }
    std::error_code read(std::uint64_t at, std::span<std::byte> to) const override {
        if (at > of_->data.size() || to.size() > of_->data.size() - at) return std::make_error_code(std::errc::io_error);
        if (!to.empty()) std::memcpy(to.data(), of_->data.data() + at, to.size());
        return {};
    }
    std::error_code truncate(std::uint64_t size) override {
        if (size < of_->data.size()) of_->data.resize(static_cast<std::size_t>(size));
        of_->flushed = std::min(of_->flushed, of_->data.size());
        return {};
    }
    std::error_code flush() override {
        of_->flushed = of_->data.size();
        return {};
    }

private:
    std::shared_ptr<memory_storage::content> of_;
    const bool& full_;
};

std::unique_ptr<storage_file> memory_storage::open(std::string_view name, std::error_code& ec, bool must_exist) {
    ec.clear();
    auto at = files_.find(name);
    if (at == files_.end()) {
        if (must_exist) return ec = std::make_error_code(std::errc::no_such_file_or_directory), nullptr;
        at = files_.emplace(std::string{name}, std::make_shared<content>()).first;
    }
    return std::make_unique<memory_file>(at->second, full_);
}

std::vector<std::string> memory_storage::list(std::string_view folder) const {
    const auto prefix = folder.empty() ? std::string{} : std::string{folder} + '/';
    std::vector<std::string> names;
    for (auto at = files_.lower_bound(prefix); at != files_.end() && at->first.compare(0, prefix.size(), prefix) == 0; ++at) {
        auto rest = at->first.substr(prefix.size());
        if (const auto slash = rest.find('/'); slash != std::string::npos) rest.resize(slash + 1);
        names.push_back(std::move(rest));
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

std::error_code memory_storage::remove(std::string_view name) {
    files_.erase(std::string{name});
    const auto prefix = std::string{name} + '/';
    for (auto at = files_.lower_bound(prefix); at != files_.end() && at->first.compare(0, prefix.size(), prefix) == 0;) at = files_.erase(at);
    return {};
}

std::error_code memory_storage::rename(std::string_view from, std::string_view to) {
    const auto prefix = std::string{from} + '/';
    std::vector<std::pair<std::string, std::shared_ptr<content>>> moved;
    for (auto at = files_.lower_bound(from); at != files_.end() && (at->first == from || at->first.compare(0, from.size(), from) == 0);) {
        if (at->first != from && at->first.compare(0, prefix.size(), prefix) != 0) {
            ++at;
            continue;
        }
        moved.emplace_back(std::string{to} + at->first.substr(from.size()), std::move(at->second));
        at = files_.erase(at);
    }
    if (moved.empty()) return std::make_error_code(std::errc::no_such_file_or_directory);
    for (auto& [name, what] : moved) files_[name] = std::move(what);
    return {};
}

void memory_storage::crash(unsigned kept_percent) {
    for (auto& [name, file] : files_) {
        auto after = std::make_shared<content>(*file);  // files that are open keep the old one, which nobody finds any more
        const auto loose = after->data.size() - after->flushed;
        after->data.resize(after->flushed + loose * std::min(kept_percent, 100u) / 100);
        after->flushed = after->data.size();
        file = std::move(after);
    }
}

}  // namespace kafkawire::broker
