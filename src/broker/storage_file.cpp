// A folder of the file system, by POSIX calls: one write() per append, reads by pread().
#include "broker/storage.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace kafkawire::broker {
namespace {

namespace fs = std::filesystem;

std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

class descriptor {
public:
    explicit descriptor(int fd = -1) noexcept : fd_{fd} {}
    descriptor(descriptor&& o) noexcept : fd_{std::exchange(o.fd_, -1)} {}
    descriptor& operator=(descriptor&& o) noexcept {
        std::swap(fd_, o.fd_);
        return *this;
    }
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

class system_file final : public storage_file {
public:
    system_file(descriptor fd, std::uint64_t size) : fd_{std::move(fd)}, size_{size} {}
    [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
    std::error_code append(protocol::bytes_view data) override {
        auto at = size_;
        while (!data.empty()) {
            const auto n = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(at));
            if (n < 0) {
                if (errno == EINTR) continue;
                const auto ec = last_error();
                static_cast<void>(::ftruncate(fd_.get(), static_cast<off_t>(size_)) == 0);  // if even that fails, the next start cuts the torn tail
                return ec;
            }
            at += static_cast<std::uint64_t>(n);
            data = data.subspan(static_cast<std::size_t>(n));
        }
        size_ = at;
        return {};
    }
    std::error_code read(std::uint64_t at, std::span<std::byte> to) const override {
        while (!to.empty()) {
            const auto n = ::pread(fd_.get(), to.data(), to.size(), static_cast<off_t>(at));
            if (n < 0) {
                if (errno == EINTR) continue;
                return last_error();
            }
            if (n == 0) return std::make_error_code(std::errc::io_error);
            at += static_cast<std::uint64_t>(n);
            to = to.subspan(static_cast<std::size_t>(n));
        }
        return {};
    }
    std::error_code truncate(std::uint64_t size) override {
        if (size >= size_) return {};
        if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return last_error();
        size_ = size;
        return {};
    }
    std::error_code flush() override { return ::fdatasync(fd_.get()) == 0 ? std::error_code{} : last_error(); }

private:
    descriptor fd_;
    std::uint64_t size_;
};

class file_storage final : public storage {
public:
    file_storage(fs::path root, descriptor lock) : root_{std::move(root)}, lock_{std::move(lock)} {}

    std::unique_ptr<storage_file> open(std::string_view name, std::error_code& ec, bool must_exist) override {
        ec.clear();
        const auto path = root_ / name;
        auto fd = descriptor{::open(path.c_str(), O_RDWR | O_CLOEXEC | (must_exist ? 0 : O_CREAT), 0644)};
        if (fd.get() < 0 && errno == ENOENT && !must_exist) {
            fs::create_directories(path.parent_path(), ec);
            if (ec) return nullptr;
            fd = descriptor{::open(path.c_str(), O_RDWR | O_CLOEXEC | O_CREAT, 0644)};
        }
        struct stat info {};
        if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) return ec = last_error(), nullptr;
        return std::make_unique<system_file>(std::move(fd), static_cast<std::uint64_t>(info.st_size));
    }
    std::vector<std::string> list(std::string_view folder) const override {
        std::vector<std::string> names;
        std::error_code ec;
        for (fs::directory_iterator at{root_ / folder, ec}, end; !ec && at != end; at.increment(ec)) {
            std::error_code unknown;
            names.push_back(at->path().filename().string() + (at->is_directory(unknown) ? "/" : ""));
        }
        std::sort(names.begin(), names.end());
        return names;
    }
    std::error_code remove(std::string_view name) override {
        std::error_code ec;
        fs::remove_all(root_ / name, ec);
        return ec;
    }
    std::error_code rename(std::string_view from, std::string_view to) override {
        std::error_code ec;
        fs::rename(root_ / from, root_ / to, ec);
        return ec;
    }

private:
    fs::path root_;
    descriptor lock_;
};

}  // namespace

std::shared_ptr<storage> make_file_storage(const std::string& folder, std::error_code& ec) {
    ec.clear();
    const fs::path root{folder};
    fs::create_directories(root, ec);
    if (ec) return nullptr;
    // Kafka's own name for it; the lock goes with the process, however that ends.
    auto lock = descriptor{::open((root / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)};
    if (lock.get() < 0) return ec = last_error(), nullptr;
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
        return ec = errno == EWOULDBLOCK ? std::make_error_code(std::errc::resource_unavailable_try_again) : last_error(), nullptr;
    return std::make_shared<file_storage>(root, std::move(lock));
}

}  // namespace kafkawire::broker
