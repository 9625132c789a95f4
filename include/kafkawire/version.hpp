// The version, the ABI namespace, the export macro. Every other header includes this one first, so that
// `namespace kafkawire::net { ... }` reopens the namespace inside v0_1.
#pragma once

#define KAFKAWIRE_VERSION_MAJOR 0
#define KAFKAWIRE_VERSION_MINOR 1
#define KAFKAWIRE_VERSION_PATCH 0
#define KAFKAWIRE_VERSION_STRING "0.1.0"

#if defined(KAFKAWIRE_SHARED) && defined(_WIN32)
#define KAFKAWIRE_API __declspec(dllexport)
#elif defined(__GNUC__)
#define KAFKAWIRE_API __attribute__((visibility("default")))
#else
#define KAFKAWIRE_API
#endif

namespace kafkawire {
inline namespace v0_1 {
namespace protocol {
namespace messages {}
}  // namespace protocol
namespace net {}
namespace sim {}
namespace client_detail {}
namespace blocking {}
namespace group {}
namespace json {}
namespace broker {}
namespace cli {}
namespace testing {}

/// The version of the library that runs, "0.1.0"; KAFKAWIRE_VERSION_STRING is that of the headers. Thread-safe.
KAFKAWIRE_API const char* version() noexcept;
/// What this library was built with, names divided by blanks: "gzip snappy lz4 zstd client". Thread-safe.
KAFKAWIRE_API const char* features() noexcept;
}  // namespace v0_1
}  // namespace kafkawire
