// The first three bytes choose the message: API key (taken modulo their number) and version (modulo the versions).
#pragma once
#include "fuzz/common.hpp"

namespace kafkawire::fuzzing {

template <class Choose>
int by_key(const std::uint8_t* data, std::size_t size, Choose choose) {
    if (size < 3) return 0;
    const auto all = apis();
    const message_schema& schema = *choose(all[static_cast<std::size_t>(data[0] << 8 | data[1]) % all.size()]);
    const auto versions = schema.versions.highest - schema.versions.lowest + 1;
    const auto version = static_cast<std::int16_t>(schema.versions.lowest + data[2] % versions);
    const bytes_view body{reinterpret_cast<const std::byte*>(data) + 3, size - 3};
    const bool whole = message(schema, body, version);
    // Notes are strings for every value: enough if a part of the runs makes them.
    if (size % 8 == 0) annotations(schema, body, version, whole);
    return 0;
}

}  // namespace kafkawire::fuzzing
