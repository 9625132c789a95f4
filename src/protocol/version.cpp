#include <kafkawire/version.hpp>

namespace kafkawire::inline v0_1 {

const char* version() noexcept { return KAFKAWIRE_VERSION_STRING; }

// The codecs are always there: a build without one of them stops at configure time.
const char* features() noexcept {
#ifdef KAFKAWIRE_HAS_CLIENT
    return "gzip snappy lz4 zstd client";
#else
    return "gzip snappy lz4 zstd";
#endif
}

}  // namespace kafkawire::inline v0_1
