// Certificates for tests, made when they are needed: authorities, servers, clients, and each in ways that are wrong.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace certificates {

/// PEM texts.
struct identity {
    std::string certificate, key;
};

struct wish {
    std::string name = "test";
    std::vector<std::string> hosts{}, addresses{};             ///< whom a server's is for
    std::chrono::system_clock::time_point from{}, to{};        ///< not given: from an hour ago, for a day
    std::string use = "serverAuth,clientAuth";                 ///< extendedKeyUsage
};

/// Somebody who issues certificates. `from`, `to` of its own: ten years about `now`.
class authority {
public:
    explicit authority(std::string name, std::chrono::system_clock::time_point now);
    ~authority();
    authority(const authority&) = delete;
    authority& operator=(const authority&) = delete;

    [[nodiscard]] const std::string& certificate() const noexcept { return pem_; }
    [[nodiscard]] identity issue(const wish& w) const;

private:
    struct keys;
    std::unique_ptr<keys> keys_;
    std::chrono::system_clock::time_point now_;
    std::string pem_;
};

/// The same key, encrypted with a password.
[[nodiscard]] std::string encrypted(const std::string& key, const std::string& password);

}  // namespace certificates
