// Metadata of the call that is being served (who asked, a trace, a tenant), passed on as headers of the records that are sent meanwhile, and read back
// where they are handled: what trpcMeta=true does.
//
//   kw::app::metadata_scope scope{{{"trace", "7f"}}};           // of the thread, until its end
//   component.producer("p1").write_messages(two);               // with caller_metadata on: "trace" goes along
//
//   auto h = kw::app::with_caller_metadata(kw::app::on_message([](const kw::record_view& r) {
//       log(kw::app::current_metadata().at("trace"));           // the record's headers; what is sent here has them too
//   }));
//
// A scope is a thread's: coroutines, and calls that tell later, take the metadata of a record with metadata_of() and give it to merge_metadata().
// Thread-safe in that each thread has its own.
#pragma once
#include <kafkawire/app/handler.hpp>
#include <kafkawire/record.hpp>

#include <map>

namespace kafkawire::inline v0_1 {
namespace app {

using metadata = std::map<std::string, std::string, std::less<>>;

/// What becomes of a name that metadata and a record's own headers both have.
enum class metadata_clash : std::uint8_t {
    record_wins,    ///< the metadata's is left out
    metadata_wins,  ///< the record's are left out
    keep_both,      ///< the record's first: whoever reads one finds the other last
    refuse,         ///< errc::bad_configuration: nothing is sent
};

/// What is sent along by this thread now; empty outside of a scope.
[[nodiscard]] KAFKAWIRE_API const metadata& current_metadata() noexcept;

/// current_metadata() of this thread is that from here to the end of the scope; then what it was before. Of one thread, ends in reverse order.
class KAFKAWIRE_API metadata_scope {
public:
    explicit metadata_scope(metadata what);
    ~metadata_scope();
    metadata_scope(const metadata_scope&) = delete;
    metadata_scope& operator=(const metadata_scope&) = delete;

private:
    metadata what_;
    const metadata* before_;
};

/// The headers of a record that was read; of those of the same name the last; a null is an empty text.
[[nodiscard]] KAFKAWIRE_API metadata metadata_of(const record_view& r);
[[nodiscard]] KAFKAWIRE_API metadata metadata_of(const consumer_record& r);

/// A record's own headers and the metadata's, in this order. The views are of `own` and of `what`. Throws kw::system_error where `rule` is refuse and
/// there is a clash.
[[nodiscard]] KAFKAWIRE_API std::vector<header_view> merge_metadata(std::span<const header_view> own, const metadata& what, metadata_clash rule = metadata_clash::record_wins);

/// The same handler, called within a scope of the message's headers; one of batches within that of the first message.
[[nodiscard]] KAFKAWIRE_API handler with_caller_metadata(handler what);

}  // namespace app
}  // namespace kafkawire::inline v0_1
