// Seeing each request: an observer that prints them, decoded, with what must not be seen left out; and several observers in the place of one.
//   kw::client client{executor, {.name = "orders", .observer = kw::debug_to_stderr()}};
// Configurations switch it on by themselves, with debug = true or KAFKAWIRE_DEBUG=1 in the environment. Part of the library kafkawire::config.
#pragma once
#include <kafkawire/observer.hpp>

#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace kafkawire::inline v0_1 {

/// Prints each request when it has ended, each change of a connection, and each log line:
///   kafkawire orders b1:9092 Metadata v13: 2.1 ms, 45 bytes out, 310 in; request {"topics":null,...}; answer {"brokers":[...],...}
/// Records are shortened to their first bytes. What belongs to SASL, delegation tokens, SCRAM credentials and the values of altered configurations are
/// left out. May be given to several clients in several threads.
class KAFKAWIRE_API debug_printer final : public observer {
public:
    /// A line without its end. Called under a lock: one line after the other.
    using sink = std::function<void(std::string_view line)>;
    /// Without a sink lines go to standard error. A request or an answer that is longer as text is cut off there.
    explicit debug_printer(sink to = {}, std::size_t longest = 64u << 10) : to_{std::move(to)}, longest_{longest} {}

    [[nodiscard]] bool wants_bytes() const noexcept override { return true; }
    void on_log(const log_line& l) override;
    void on_request(const request_seen& r) override;
    void on_connection(const connection_seen& c) override;

private:
    void print(std::string line);
    sink to_;
    std::size_t longest_;
    std::mutex lock_;
};

/// The one of the process that prints to standard error.
[[nodiscard]] KAFKAWIRE_API std::shared_ptr<observer> debug_to_stderr();
/// Whether the environment asks for it: KAFKAWIRE_DEBUG is set, and is none of 0, false, no and off. `variables` are NAME=VALUE, ended by a null.
[[nodiscard]] KAFKAWIRE_API bool debug_is_asked_for(const char* const* variables) noexcept;

/// Tells all of these what it is told; null ones are left out. One alone is given back itself, none as null.
[[nodiscard]] KAFKAWIRE_API std::shared_ptr<observer> all_of(std::vector<std::shared_ptr<observer>> those);

/// A frame without its size as JSON, in the form of Kafka's own converters, with secrets hidden and records shortened. Of a request, or (`answer`) of the
/// answer to one of that key and version. In place of what cannot be read stands why.
[[nodiscard]] KAFKAWIRE_API std::string frame_text(std::int16_t api_key, std::int16_t version, bool answer, std::span<const std::byte> frame);

}  // namespace kafkawire::inline v0_1

namespace kw = kafkawire;
