// What stands in for TLS and SCRAM in a library that was built without OpenSSL. validate() refuses the options that lead here; whoever comes all the
// same is told.
#ifdef __clang__
#pragma clang diagnostic ignored "-Wunused-private-field"  // they are the other form's
#endif
#include "net/scram_fsm.hpp"
#include "net/tls_session.hpp"

namespace kafkawire::net {

namespace {
constexpr std::string_view reason = "this library was built without OpenSSL";
}

std::shared_ptr<const tls_context> tls_context::make(const tls_settings&, error& why) {
    why = {};
    why.code = errc::bad_configuration;
    why.in = phase::tls;
    why.text = reason;
    return nullptr;
}
tls_context::~tls_context() = default;

tls_session::tls_session(std::shared_ptr<const tls_context> with, std::string_view host, std::chrono::system_clock::time_point) : with_{std::move(with)}, host_{host} {
    fail({});
}
tls_session::~tls_session() = default;
void tls_session::fail(std::string_view) {
    why_.code = errc::tls_failed;
    why_.in = phase::tls;
    why_.text = reason;
}
tls_session::progress tls_session::handshake() { return progress::failed; }
void tls_session::incoming(std::span<const std::byte>) {}
std::size_t tls_session::outgoing(std::span<std::byte>) { return 0; }
std::size_t tls_session::outgoing_size() const noexcept { return 0; }
std::size_t tls_session::read(std::span<std::byte>) { return 0; }
bool tls_session::write(std::span<const std::byte>) { return false; }
void tls_session::close() {}
std::optional<std::chrono::system_clock::time_point> tls_session::peer_expires() const { return {}; }
std::string tls_session::cipher() const { return {}; }

scram_fsm::scram_fsm(scram_hash hash, std::string_view, secret, std::string, bool) : hash_{hash} { refuse(std::string{reason}); }
scram_fsm::~scram_fsm() = default;
bool scram_fsm::refuse(std::string why) {
    state_ = state::refused;
    why_ = std::move(why);
    return false;
}
bool scram_fsm::server_first(std::string_view) { return false; }
bool scram_fsm::derive(std::uint32_t) { return false; }
bool scram_fsm::server_last(std::string_view) { return false; }
std::string scram_nonce() { return {}; }

}  // namespace kafkawire::net
