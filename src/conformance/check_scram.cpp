// Whole SCRAM exchanges, with the values on the way.
#include "conformance/checks.hpp"
#include "net/base64.hpp"
#include "net/scram_fsm.hpp"

namespace kafkawire::conformance {

std::string check_scram(const nlohmann::json& line) {
    const auto text = [&](const char* member) -> const std::string& { return line.at(member).get_ref<const std::string&>(); };
    const auto hash = text("mechanism") == "SCRAM-SHA-512" ? net::scram_hash::sha512 : net::scram_hash::sha256;
    net::scram_fsm client{hash, text("username"), secret{text("password")}, text("clientNonce"), line.at("tokenAuth").get<bool>()};
    if (client.first() != text("clientFirst")) return "client-first-message: " + client.first();
    if (text("serverFirst") != "r=" + text("clientNonce") + text("serverNonce") + ",s=" + text("salt") + ",i=" + line.at("iterations").dump()) return "serverFirst is not made of its parts";
    if (!client.server_first(text("serverFirst"))) return client.why();
    while (!client.derive(1000))
        if (client.where() != net::scram_fsm::state::deriving) return client.why();
    if (client.last() != text("clientFinal")) return "client-final-message: " + client.last();
    const auto& v = client.values();
    const nlohmann::json made{{"saltedPassword", net::to_base64(v.salted_password)}, {"clientKey", net::to_base64(v.client_key)},     {"storedKey", net::to_base64(v.stored_key)},
                              {"serverKey", net::to_base64(v.server_key)},           {"clientProof", net::to_base64(v.client_proof)}, {"serverSignature", net::to_base64(v.server_signature)}};
    for (const auto& [name, value] : made.items())
        if (value != line.at(name)) return name + ": " + line.at(name).dump() + " wanted, " + value.dump() + " made";
    if (!client.server_last(text("serverFinal"))) return client.why();
    return {};
}

}  // namespace kafkawire::conformance
