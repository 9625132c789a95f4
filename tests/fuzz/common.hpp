// What the harnesses share. A harness is one function that takes any bytes; it must return 0 whatever they are, and it traps if something
// that must hold does not. Built with libFuzzer (preset fuzz) and, as fuzz-replay-*, with a main() that runs a corpus (replay.cpp).
#pragma once
#include <kafkawire/protocol/annotate.hpp>
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/codec.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace kafkawire::fuzzing {

using namespace protocol;

/// Ends the program: something that must hold for every input did not.
[[noreturn]] inline void broken(const char* what) {
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}
inline void must(bool holds, const char* what) {
    if (!holds) broken(what);
}

/// Decodes; what is whole must encode to its measured size, decode from that to the same, and be explained byte by byte. True if whole.
inline bool message(const message_schema& schema, bytes_view from, std::int16_t version) {
    any_message first{schema};
    if (const auto error = decode(schema, first.get(), from, version)) {
        must(error.offset <= from.size(), "an error lies beyond the bytes");
        return false;
    }
    bytes once, twice;
    std::size_t size = 0;
    must(!encode(schema, first.get(), version, once), "what was decoded does not encode");
    must(!measure(schema, first.get(), version, size) && size == once.size(), "the measured size is not the encoded one");
    any_message second{schema};
    must(!decode(schema, second.get(), once, version), "what was encoded does not decode");
    must(!encode(schema, second.get(), version, twice) && once == twice, "a second round gives other bytes");
    std::string first_json, second_json;
    must(!write_json(schema, first.get(), version, first_json) && !write_json(schema, second.get(), version, second_json), "no JSON");
    must(first_json == second_json, "a second round gives other fields");
    return true;
}

/// Annotating finds the same as decoding, and leaves no gap.
inline void annotations(const message_schema& schema, bytes_view from, std::int16_t version, bool whole) {
    const auto notes = annotate(schema, from, version);
    must(!(whole && notes.error), "what decodes is not explained");
    std::size_t at = 0;
    for (const auto& v : notes.values) {
        must(v.offset == at, "a gap between annotations");
        at += v.size;
    }
    must(!whole || at == from.size(), "bytes without an annotation");
}

}  // namespace kafkawire::fuzzing
