// The README's example is the file that is built and run.
#include <fstream>
#include <sstream>

#include "catch.hpp"

namespace {

std::string text_of(const char* path) {
    std::ifstream file{path};
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("the README shows the first example as it is") {
    const auto example = text_of(KAFKAWIRE_SOURCE_DIR "/examples/1_first/list_topics.cpp");
    REQUIRE(example.find("int main") != std::string::npos);
    const auto code = example.substr(example.find('\n') + 1);  // without its headline
    CHECK(text_of(KAFKAWIRE_SOURCE_DIR "/README.md").find("```cpp\n" + code + "```") != std::string::npos);
}
