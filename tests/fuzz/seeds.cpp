// fuzz-seeds GOLDEN FOLDER: writes the seed corpus of every harness from the golden vectors, FOLDER/NAME/*, one input a file.
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <cstdio>
#include <fstream>
#include <set>

#include "conformance/checks.hpp"
#include "conformance/vectors.hpp"

namespace {

using namespace kafkawire;
using namespace kafkawire::protocol;

constexpr std::size_t longest_seed = 4096;

class corpus {
public:
    explicit corpus(std::filesystem::path folder) : folder_{std::move(folder)} {}
    void add(const char* harness, const bytes& input) {
        if (input.size() > longest_seed) return;
        const auto folder = folder_ / harness;
        if (known_.insert(harness).second) std::filesystem::create_directories(folder);
        std::ofstream out{folder / std::to_string(count_++), std::ios::binary};
        out.write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
    }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

private:
    std::filesystem::path folder_;
    std::set<std::string> known_;
    std::size_t count_ = 0;
};

bytes joined(std::initializer_list<int> head, const bytes& body) {
    bytes all;
    for (const int b : head) all.push_back(static_cast<std::byte>(b));
    all.insert(all.end(), body.begin(), body.end());
    return all;
}

void add_message(corpus& to, const nlohmann::json& line) {
    const auto& type = line.at("type");
    const bool request = type == "request";
    if (!request && type != "response") return;
    const auto* schema = conformance::schema_of_line(line);
    const auto version = line.at("version").get<std::int16_t>();
    if (!schema || !schema->versions.contains(version)) return;
    const auto body = conformance::hex_member(line, "hex");
    to.add(request ? "requests" : "responses", joined({schema->key >> 8, schema->key & 0xff, version - schema->versions.lowest}, body));
    any_message message{*schema};
    scatter frame;
    if (decode(*schema, message.get(), body, version)) return;
    if (request ? encode_request(*schema, message.get(), version, 7, "fuzz", frame) : encode_response(*schema, message.get(), version, 7, frame)) return;
    bytes whole;
    for (const auto part : frame.parts()) whole.insert(whole.end(), part.begin(), part.end());
    whole.erase(whole.begin(), whole.begin() + 4);
    if (request) {
        const auto n = static_cast<int>(whole.size());
        to.add("broker", joined({schema->key & 1, 4, n >> 8 & 0xff, n & 0xff}, whole));
    }
    to.add("frames", request ? joined({0}, whole) : joined({1, schema->key >> 8, schema->key & 0xff, version}, whole));
}

// The whole field for the batches' harness, with and without checksums; what each compressed batch holds for its codec's.
void add_batches(corpus& to, const nlohmann::json& line) {
    const auto wire = conformance::hex_member(line, "hex");
    to.add("record_batches", joined({0}, wire));
    to.add("record_batches", joined({1}, wire));
    record_batches found{wire};
    while (const auto* batch = found.next()) {
        const auto codec = batch->codec();
        if (codec == compression::none || codec > compression::zstd) continue;
        const bytes content{batch->content.begin(), batch->content.end()};
        const auto harness = "codec_" + std::string{to_string(codec)};
        to.add(harness.c_str(), joined({batch->magic == 0 ? 2 : 0}, content));
        to.add(harness.c_str(), joined({1}, content));
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: fuzz-seeds GOLDEN FOLDER\n");
        return 2;
    }
    try {
        corpus to{argv[2]};
        for (const auto& file : conformance::vector_files(argv[1])) {
            const auto content = conformance::read_file(file);
            for (const auto text : conformance::lines_of(content)) {
                const auto line = nlohmann::json::parse(text);
                if (line.contains("api") && line.contains("hex")) add_message(to, line);
                else if (line.contains("batches") || line.contains("fault")) add_batches(to, line);
            }
        }
        std::printf("%zu seeds\n", to.count());
        return to.count() == 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "fuzz-seeds: %s\n", e.what());
        return 2;
    }
}
