// fuzz-replay-NAME FILE|FOLDER...: runs a harness over a corpus without libFuzzer, each input as it is, cut short, and with single bytes
// changed. A *.seeds.gz file holds many inputs, one a line in hexadecimal. Prints the number of runs; 0 runs is a failure.
#include "conformance/vectors.hpp"
#include "fuzz/common.hpp"

#include <kafkawire/json.hpp>

#include <nlohmann/json.hpp>

namespace {

std::size_t runs = 0;

void run(const kafkawire::protocol::bytes& input) {
    // A copy of exactly its size, so that a sanitizer sees a byte too many.
    const std::vector<std::uint8_t> exact(reinterpret_cast<const std::uint8_t*>(input.data()), reinterpret_cast<const std::uint8_t*>(input.data()) + input.size());
    (void)LLVMFuzzerTestOneInput(exact.data(), exact.size());
    ++runs;
}

void run_all_of(kafkawire::protocol::bytes input) {
    run(input);
    // Some places of each input, spread evenly: cut there; and other bytes there, among them those that make lengths lie.
    const auto step = std::max<std::size_t>(1, input.size() / 24);
    for (std::size_t at = 0; at < input.size(); at += step) {
        run({input.begin(), input.begin() + static_cast<std::ptrdiff_t>(at)});
        const auto kept = input[at];
        for (const auto other : {std::byte{0x00}, std::byte{0x7f}, std::byte{0x80}, std::byte{0xff}, kept ^ std::byte{1}}) {
            input[at] = other;
            run(input);
        }
        input[at] = kept;
    }
}

void replay(const std::filesystem::path& path) {
    if (std::filesystem::is_directory(path)) {
        for (const auto& entry : std::filesystem::directory_iterator{path}) replay(entry.path());
        return;
    }
    const auto content = kafkawire::conformance::read_file(path);
    if (!path.filename().string().ends_with(".seeds.gz")) {
        const auto* first = reinterpret_cast<const std::byte*>(content.data());
        return run_all_of({first, first + content.size()});
    }
    for (const auto line : kafkawire::conformance::lines_of(content))
        if (auto input = kafkawire::json::from_hex(line)) run_all_of(std::move(*input));
}

}  // namespace

int main(int argc, char** argv) {
    try {
        for (int i = 1; i < argc; ++i) replay(argv[i]);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "fuzz-replay: %s\n", e.what());
        return 2;
    }
    std::printf("%zu runs\n", runs);
    return runs == 0;
}
