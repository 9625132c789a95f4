#include "control.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <stdexcept>

namespace kafkawire::testing::detail {
namespace {

namespace fs = std::filesystem;

// In /tmp and not in $TMPDIR: the commands of one user must meet, also from shells with different settings. 0700 and owned by us,
// or else somebody else could answer.
fs::path control_folder() {
    const fs::path folder = "/tmp/kafkawire-" + std::to_string(::getuid());
    std::error_code ignored;
    if (fs::create_directory(folder, ignored)) fs::permissions(folder, fs::perms::owner_all);
    struct stat found {};
    if (::lstat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != ::getuid() || (found.st_mode & 077) != 0)
        throw std::runtime_error(folder.string() + " is not a folder of this user's alone");
    return folder;
}

unique_fd make_socket() { return unique_fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)}; }

sockaddr_un address_of(const fs::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto text = path.string();
    if (text.size() >= sizeof address.sun_path) throw std::invalid_argument("the name of the cluster is too long");
    std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
    return address;
}

bool connect_to(const unique_fd& fd, const fs::path& path) {
    const auto address = address_of(path);
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

void send_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;  // the asker has gone away
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

std::string read_all(int fd) {
    std::string out;
    std::array<char, 65536> buffer;
    for (;;) {
        const auto n = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return out;
        out.append(buffer.data(), static_cast<std::size_t>(n));
    }
}

}  // namespace

fs::path control_socket(const std::string& name) {
    const bool plain = !name.empty() && name.size() <= 64 &&
                       std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; });
    if (!plain) throw std::invalid_argument("a cluster's name has letters, digits, '-' and '_' only, not '" + name + "'");
    return control_folder() / (name + ".sock");
}

std::vector<std::string> control_names() {
    std::vector<std::string> out;
    for (auto& entry : fs::directory_iterator(control_folder()))
        if (entry.path().extension() == ".sock") out.push_back(entry.path().stem().string());
    std::ranges::sort(out);
    return out;
}

std::optional<control_answer> control_ask(const std::string& name, const std::vector<std::string>& words) {
    const auto path = control_socket(name);
    const auto fd = make_socket();
    if (!connect_to(fd, path)) {
        std::error_code ignored;
        if (errno == ECONNREFUSED) fs::remove(path, ignored);
        return std::nullopt;
    }
    std::string line;
    for (auto& w : words) line += w + '\n';
    send_all(fd.get(), line);
    ::shutdown(fd.get(), SHUT_WR);
    const auto text = read_all(fd.get());
    if (text.empty()) return control_answer{false, "the process that held the cluster has ended"};
    return control_answer{text[0] == '+', text.substr(1)};
}

control_server::control_server(const std::string& name) : path_(control_socket(name)), listener_(make_socket()) {
    if (connect_to(make_socket(), path_)) throw std::runtime_error("a cluster named '" + name + "' is up already");
    std::error_code ignored;
    fs::remove(path_, ignored);
    const auto address = address_of(path_);
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(listener_.get(), 16) != 0)
        throw std::runtime_error("cannot listen on " + path_.string() + ": " + std::strerror(errno));
}

control_server::~control_server() {
    std::error_code ignored;
    fs::remove(path_, ignored);
}

void control_server::serve(const std::function<control_answer(const std::vector<std::string>&)>& handler, const std::function<bool()>& done,
                           std::optional<std::chrono::steady_clock::time_point> until) {
    while (!done() && (!until || std::chrono::steady_clock::now() < *until)) {
        pollfd p{listener_.get(), POLLIN, 0};
        if (::poll(&p, 1, 500) <= 0) continue;
        const unique_fd peer{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
        if (!peer) continue;
        std::istringstream in(read_all(peer.get()));
        std::vector<std::string> words;
        for (std::string w; std::getline(in, w);) words.push_back(w);
        const auto answer = handler(words);
        send_all(peer.get(), (answer.ok ? "+" : "-") + answer.text);
    }
}

}  // namespace kafkawire::testing::detail
