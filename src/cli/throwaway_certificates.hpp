// Certificates for trying TLS out: an authority, a broker and a client, made when a broker of ours is started with a folder that has none yet.
#pragma once
#include <kafkawire/version.hpp>

#include <string>
#include <vector>

namespace kafkawire::cli {

/// The files in the folder.
struct throwaway_certificates {
    std::string authority, broker, client;  ///< ca.pem; broker.pem and client.pem have their keys inside, and are the owner's alone
};

/// Those that are there, or new ones, which are good for 30 days, the broker's for localhost and these addresses. Raises a failure where the
/// folder cannot be written, or this program was built without OpenSSL.
[[nodiscard]] throwaway_certificates make_throwaway_certificates(const std::string& folder, const std::vector<std::string>& addresses);

}  // namespace kafkawire::cli
