// Any response: two bytes of API key, one of version, the body.
#include "fuzz/messages_by_key.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return kafkawire::fuzzing::by_key(data, size, [](const kafkawire::protocol::api_info& a) { return a.response; });
}
