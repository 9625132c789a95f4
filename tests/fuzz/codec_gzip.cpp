// gzip: see codec.hpp.
#include "fuzz/codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return kafkawire::fuzzing::codec(kafkawire::protocol::compression::gzip, data, size);
}
