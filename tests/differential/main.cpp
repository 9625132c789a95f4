// differential-requests: plays scripts of requests against a broker, and records its answers or compares them with recorded ones.
#include <fstream>
#include <iostream>

#include "embedded.hpp"
#include "player.hpp"

using namespace differential;

namespace {

constexpr std::string_view usage =
    "BOOTSTRAP is HOST:PORT of a single node, or \"embedded\": a new embedded broker for each script.\n"
    "differential-requests BOOTSTRAP SCRIPT...                    prints the answers as JSON lines\n"
    "differential-requests BOOTSTRAP --record FOLDER SCRIPT...    writes them to FOLDER/SCRIPT.jsonl\n"
    "differential-requests BOOTSTRAP --compare FOLDER SCRIPT...   says where they differ from those; ends with 1 if they do\n"
    "differential-requests BOOTSTRAP --compare FOLDER --at-most N SCRIPT...   ... if more than N answers do\n";

constexpr std::size_t shown_differences = 8;  // of one answer

struct tally {
    std::size_t requests = 0, answers = 0, differ = 0;
};

std::filesystem::path recording(const std::filesystem::path& folder, const script& s) {
    return folder / (s.file.stem().string() + ".jsonl");
}

std::vector<document> read_recording(const std::filesystem::path& file) {
    std::vector<document> out;
    std::ifstream in{file};
    for (std::string line; std::getline(in, line);) out.push_back(document::parse(line));
    return out;
}

std::string request_text(const answer& a) {
    auto text = a.content.value("api", std::string{"raw"});
    if (a.content.contains("version")) text += " v" + std::to_string(a.content["version"].get<int>());
    if (a.of->api.empty()) return text;
    const auto body = a.of->body.dump();
    return text + " " + (body.size() > 300 ? body.substr(0, 300) + "..." : body);
}

bool same_request(const document& a, const document& b) {
    return a.value("api", std::string{}) == b.value("api", std::string{}) && a.value("version", -1) == b.value("version", -1);
}

tally compare(const script& s, const std::vector<answer>& got, const std::vector<document>& expected) {
    tally t;
    t.answers = got.size();
    if (got.size() != expected.size()) {
        std::cout << s.file.filename().string() << ": " << got.size() << " answers, " << expected.size()
                  << " are recorded: record it again\n";
        t.differ = t.answers;
        return t;
    }
    for (std::size_t i = 0; i < got.size(); ++i) {
        const auto where = s.file.filename().string() + ":" + std::to_string(got[i].of->line);
        if (!same_request(got[i].content, expected[i])) {
            std::cout << where << ": recorded was another request: record it again\n";
            t.differ += t.answers - i;
            return t;
        }
        const auto wrong = differences(expected[i], got[i].content);
        if (wrong.empty()) continue;
        ++t.differ;
        std::cout << where << "  " << request_text(got[i]) << '\n';
        for (std::size_t j = 0; j < std::min(wrong.size(), shown_differences); ++j) std::cout << "    " << wrong[j] << '\n';
        if (wrong.size() > shown_differences) std::cout << "    and " << wrong.size() - shown_differences << " more\n";
    }
    return t;
}

int run(std::vector<std::string> words) {
    if (words.size() < 2) {
        std::cerr << usage;
        return 2;
    }
    const auto bootstrap = words.front();
    words.erase(words.begin());
    std::string mode;
    std::filesystem::path folder;
    if (words.front().starts_with("--")) {
        mode = words.front();
        if (words.size() < 3 || (mode != "--record" && mode != "--compare")) {
            std::cerr << usage;
            return 2;
        }
        folder = words[1];
        words.erase(words.begin(), words.begin() + 2);
    }
    std::size_t at_most = 0;
    if (words.size() > 2 && words.front() == "--at-most") {
        at_most = std::stoul(words[1]);
        words.erase(words.begin(), words.begin() + 2);
    }
    tally all;
    for (const auto& word : words) {
        const auto s = read_script(word);
        const allowances allowed{s.file.parent_path().parent_path() / "allowed"};
        std::optional<embedded_broker> embedded;
        if (bootstrap == "embedded") embedded.emplace();
        player p{embedded ? embedded->bootstrap() : bootstrap, allowed};
        const auto got = p.play(s);
        tally t{p.requests(), got.size(), 0};
        if (mode == "--compare") t.differ = compare(s, got, read_recording(recording(folder, s))).differ;
        std::ofstream file;
        if (mode == "--record") file.open(recording(folder, s));
        if (mode != "--compare")
            for (const auto& a : got) (mode == "--record" ? file : std::cout) << a.content.dump() << '\n';
        if (!mode.empty()) {
            std::cout << s.file.stem().string() << ": " << t.requests << " requests, " << t.answers << " answers";
            if (mode == "--compare")
                std::cout << ", " << t.answers - std::min(t.differ, t.answers) << " as recorded, " << t.differ << " differ";
            std::cout << std::endl;
        }
        all.requests += t.requests, all.answers += t.answers, all.differ += t.differ;
    }
    if (words.size() > 1 && !mode.empty())
        std::cout << "all: " << all.requests << " requests, " << all.answers << " answers, " << all.differ << " differ\n";
    return all.differ > at_most ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& e) {
        std::cerr << "differential-requests: " << e.what() << '\n';
        return 2;
    }
}
