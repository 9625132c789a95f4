// The tree keeps its layers, and the check would notice if it did not: each rule is broken on purpose in a small tree of its own.
#include "catch.hpp"
#include "layers.hpp"

#include <algorithm>

using layering::tree;
using layering::violations;

namespace {

// A tree that breaks nothing; the tests plant one violation each.
tree clean() {
    return {{"include/kafkawire/version.hpp", ""},
            {"include/kafkawire/protocol/codec.hpp", "#include <kafkawire/version.hpp>\n"},
            {"include/kafkawire/detail/asio.hpp", "#include <asio/post.hpp>\n"},
            {"include/kafkawire/client.hpp", "#include <kafkawire/detail/asio.hpp>\n#include <kafkawire/protocol/codec.hpp>\n"},
            {"src/protocol/reader.hpp", "#include <string>\n"},
            {"src/protocol/decode.cpp", "#include \"reader.hpp\"\n#include <kafkawire/protocol/codec.hpp>\n"},
            {"src/net/backoff.hpp", "#include <chrono>\n"},
            {"src/net/connection_fsm.cpp", "#include \"backoff.hpp\"\n"},
            {"src/client/client.cpp", "#include <kafkawire/client.hpp>\n#include \"net/backoff.hpp\"\n"},
            {"src/cli/main.cpp", "#include <kafkawire/client.hpp>\n"}};
}

// What is said after `text` was added to the file `path`.
std::vector<std::string> after(const std::string& path, const std::string& text) {
    auto files = clean();
    files[path] += text;
    return violations(files);
}

bool only(const std::vector<std::string>& found, const std::string& start, const std::string& words) {
    return found.size() == 1 && found[0].compare(0, start.size(), start) == 0 && found[0].find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("the tree keeps its layers") {
    const auto files = layering::read_tree(KAFKAWIRE_SOURCE_DIR);
    REQUIRE(files.size() > 100);
    REQUIRE(std::count_if(files.begin(), files.end(), [](const auto& f) { return f.first.find("_fsm") != std::string::npos; }) > 0);
    for (const auto& sentence : violations(files)) FAIL_CHECK(sentence);
}

TEST_CASE("a clean tree has nothing to say") { CHECK(violations(clean()).empty()); }

TEST_CASE("a lower layer that includes a higher one is found") {
    CHECK(only(after("src/net/texts.hpp", "#include <kafkawire/client.hpp>\n"), "src/net/texts.hpp:1: net may not include client", ""));
    CHECK(only(after("src/protocol/decode.cpp", "#include \"net/backoff.hpp\"\n"), "src/protocol/decode.cpp:3: protocol may not include net", ""));
    CHECK(only(after("src/broker/log.cpp", "#include <kafkawire/client.hpp>\n"), "src/broker/log.cpp:1: broker may not include client", ""));
    CHECK(only(after("src/net/texts.hpp", "#include \"../cli/main.cpp\"\n"), "src/net/texts.hpp:1: net may not include cli", ""));
}

TEST_CASE("Asio is found where it may not be, straight and by a detour") {
    CHECK(only(after("src/protocol/decode.cpp", "#include <asio.hpp>\n"), "src/protocol/decode.cpp: Asio is not for protocol", "asio.hpp"));
    CHECK(only(after("src/net/connection_fsm.cpp", "  #  include <asio/post.hpp>\n"), "src/net/connection_fsm.cpp: Asio is not for machines", ""));
    CHECK(only(after("src/net/backoff.hpp", "#include <kafkawire/detail/asio.hpp>\n"), "src/net/connection_fsm.cpp: Asio is not for machines",
               "src/net/backoff.hpp -> include/kafkawire/detail/asio.hpp -> asio/post.hpp"));
}

TEST_CASE("a machine that reads a clock is found") {
    CHECK(only(after("src/net/connection_fsm.cpp", "auto t = std::chrono::steady_clock::now();\n"), "src/net/connection_fsm.cpp", "no clock"));
    CHECK(only(after("src/net/connection_fsm.cpp", "auto t = system_clock :: now();\n"), "src/net/connection_fsm.cpp", "no clock"));
    CHECK(after("src/client/client.cpp", "auto t = std::chrono::steady_clock::now();\n").empty());
}

TEST_CASE("a file without a layer, a public header that shows a private one, a header that is not there") {
    CHECK(only(after("src/misc/tool.cpp", "\n"), "src/misc/tool.cpp", "no layer"));
    CHECK(only(after("include/kafkawire/novelty.hpp", "\n"), "include/kafkawire/novelty.hpp", "no layer"));
    CHECK(only(after("include/kafkawire/client.hpp", "#include \"net/backoff.hpp\"\n"), "include/kafkawire/client.hpp:3", "private"));
    CHECK(only(after("src/cli/main.cpp", "#include <kafkawire/nowhere.hpp>\n"), "src/cli/main.cpp:2", "no such header"));
}
