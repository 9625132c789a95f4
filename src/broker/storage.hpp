// storage: where the embedded cluster keeps what is to survive it: named files that grow at their end. Three kinds: none (in memory only), a
// folder of the system (make_file_storage), and memory_storage, a folder that lives in a test and can lose what was not flushed.
// Everybody above (logs, the cluster's journal) knows this interface alone. Calls are synchronous and are made by the machine itself; all of
// them are short: nothing is flushed to the device unless somebody asks, as with Kafka's default. What was written survives the end of the
// process, kill -9 included; what was flushed survives the loss of power.
// Names are relative, with '/' between folders: "orders-0/00000000000000000000.log". Not thread-safe.
#pragma once
#include <kafkawire/protocol/types.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace kafkawire::broker {

/// An open file. Errors are the system's.
class storage_file {
public:
    virtual ~storage_file() = default;
    [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;
    /// Writes all of it behind the last byte. After an error the file is as long as it was.
    [[nodiscard]] virtual std::error_code append(protocol::bytes_view data) = 0;
    /// Fills all of `to` from the byte `at` on; an error if the file is too short for that.
    [[nodiscard]] virtual std::error_code read(std::uint64_t at, std::span<std::byte> to) const = 0;
    /// Cuts the file; a size beyond its own does nothing.
    [[nodiscard]] virtual std::error_code truncate(std::uint64_t size) = 0;
    /// When this returns without an error, what was written survives the loss of power.
    [[nodiscard]] virtual std::error_code flush() = 0;
};

/// A folder with everything in it.
class storage {
public:
    virtual ~storage() = default;
    /// Opens for reading and appending. A file that is not there is made, with its folders; with `must_exist` it is an error.
    [[nodiscard]] virtual std::unique_ptr<storage_file> open(std::string_view name, std::error_code& ec, bool must_exist = false) = 0;
    /// The names in a folder ("" is the uppermost), sorted, those of folders with '/' at their end. Nothing if it is not there.
    [[nodiscard]] virtual std::vector<std::string> list(std::string_view folder) const = 0;
    /// A file, or a folder with all that is in it. What is not there is no error.
    virtual std::error_code remove(std::string_view name) = 0;
    /// In one step, over what has that name.
    virtual std::error_code rename(std::string_view from, std::string_view to) = 0;

    /// A small file as a whole: written beside and renamed, so that a reader finds the old or the new one; with `flush` after a loss of power too.
    std::error_code replace(std::string_view name, std::string_view text, bool flush = true);
    /// A file as a whole, if it is there and not larger than `limit` bytes.
    [[nodiscard]] std::optional<std::string> load(std::string_view name, std::size_t limit = std::size_t{64} << 20);
};

/// A folder of the file system, made if it is not there. One process at a time may have it: it is locked until the storage goes.
/// Errors: the system's; resource_unavailable_try_again if another process has it.
[[nodiscard]] std::shared_ptr<storage> make_file_storage(const std::string& folder, std::error_code& ec);

/// A folder in memory, for simulated worlds: crash() takes back what was not flushed.
class memory_storage final : public storage {
public:
    [[nodiscard]] std::unique_ptr<storage_file> open(std::string_view name, std::error_code& ec, bool must_exist = false) override;
    [[nodiscard]] std::vector<std::string> list(std::string_view folder) const override;
    std::error_code remove(std::string_view name) override;
    std::error_code rename(std::string_view from, std::string_view to) override;

    /// The power goes: every file keeps what was flushed and, of the rest, `kept_percent` of the bytes, which may end in the middle of a batch.
    /// Whoever has files open must open them anew.
    void crash(unsigned kept_percent = 0);
    /// From now on appending fails with no_space_on_device, until told otherwise.
    void set_full(bool full) noexcept { full_ = full; }

private:
    friend class memory_file;
    struct content {
        protocol::bytes data;
        std::size_t flushed = 0;
    };
    std::map<std::string, std::shared_ptr<content>, std::less<>> files_;
    bool full_ = false;
};

}  // namespace kafkawire::broker
