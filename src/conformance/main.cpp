// kafkawire-conformance DIR: checks this library against a folder of golden vectors.
#include <kafkawire/security.hpp>

#include <cstdio>
#include <exception>

#include "conformance/checks.hpp"
#include "conformance/vectors.hpp"

namespace {

using namespace kafkawire::conformance;

struct tally {
    std::size_t passed = 0, failed = 0, unchecked = 0;
};

// What CTest and automake take for a test that was not run.
constexpr int some_unchecked = 77;

constexpr std::size_t shown_failures = 5;

// Why a line fails, or nothing.
std::string examine(check run, const std::string_view text, std::string& name) {
    try {
        const auto line = nlohmann::json::parse(text);
        name = name_of(line);
        // A file holds lines of one form; one that lost a member must not slip through as a form that nobody knows.
        if (find_check(line) != run) return "not of the form of the file's first line";
        return run(line);
    } catch (const std::exception& e) {
        return std::string{"not a vector: "} + e.what();
    }
}

tally check_file(const std::filesystem::path& file) {
    const auto label = file.filename().string();
    const auto content = read_file(file);
    const auto lines = lines_of(content);
    const auto first = lines.empty() ? nlohmann::json{} : nlohmann::json::parse(lines.front(), nullptr, false);
    const check run = find_check(first);
    if (!run && !first.is_discarded()) {
        std::printf("%s: %zu skipped (%s)\n", label.c_str(), lines.size(), lines.empty() ? "empty" : "a form that is not checked yet");
        return {};
    }
    if (run == check_scram && !kafkawire::built_with_openssl()) {
        std::printf("%s: %zu not checked: built without OpenSSL\n", label.c_str(), lines.size());
        return {0, 0, lines.size()};
    }
    tally t;
    std::string failures;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::string name;
        const auto wrong = run ? examine(run, lines[i], name) : std::string{"not JSON"};
        if (wrong.empty()) {
            ++t.passed;
        } else if (t.failed++ < shown_failures) {
            failures += "  line " + std::to_string(i + 1) + (name.empty() ? "" : " (" + name + ")") + ": " + wrong + "\n";
        }
    }
    std::printf("%s: %zu passed, %zu failed\n%s", label.c_str(), t.passed, t.failed, failures.c_str());
    if (t.failed > shown_failures) std::printf("  and %zu more\n", t.failed - shown_failures);
    return t;
}

int check_folder(const std::filesystem::path& folder) {
    const auto files = vector_files(folder);
    if (files.empty()) {
        std::fprintf(stderr, "kafkawire-conformance: %s holds no *.jsonl or *.jsonl.gz\n", folder.c_str());
        return 2;
    }
    tally all;
    for (const auto& file : files) {
        tally t{0, 1, 0};
        try {
            t = check_file(file);
        } catch (const std::exception& e) {
            std::printf("%s: 0 passed, 1 failed\n  %s\n", file.filename().c_str(), e.what());
        }
        all.passed += t.passed;
        all.failed += t.failed;
        all.unchecked += t.unchecked;
    }
    std::printf("%zu passed, %zu failed", all.passed, all.failed);
    if (all.unchecked > 0) std::printf(", %zu not checked: built without OpenSSL", all.unchecked);
    std::printf("\n");
    return all.failed > 0 ? 1 : all.unchecked > 0 ? some_unchecked : 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view argument = argc == 2 ? argv[1] : "";
    if (argument.empty() || argument == "--help" || argument == "-h") {
        std::fprintf(argument.empty() ? stderr : stdout,
                     "usage: kafkawire-conformance DIR\n"
                     "Checks the library against the golden vectors (*.jsonl, *.jsonl.gz) of a folder.\n"
                     "Exit status: 0 all passed, 1 some failed, 2 wrong usage or no vectors there, 77 none failed and some could not be checked.\n");
        return argument.empty() ? 2 : 0;
    }
    try {
        return check_folder(argument);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "kafkawire-conformance: %s\n", e.what());
        return 2;
    }
}
