// The README's table of APIs is made from the declarations: this test says what it must be.
#include <kafkawire/protocol/api.hpp>

#include <fstream>
#include <sstream>

#include "catch.hpp"

using namespace kafkawire::protocol;

namespace {

std::string api_cell(const api_info& api) {
    return std::to_string(api.key) + " " + std::string{api.name} + " " + std::to_string(api.request->versions.lowest) + "-" +
           std::to_string(api.request->versions.highest);
}

// Three APIs a row, read downwards.
std::string api_table() {
    const auto all = apis();
    const auto rows = (all.size() + 2) / 3;
    std::string table = "| API | API | API |\n| --- | --- | --- |\n";
    for (std::size_t r = 0; r < rows; ++r) {
        table += "|";
        for (std::size_t c = 0; c < 3; ++c) {
            const auto i = c * rows + r;
            table += " " + (i < all.size() ? api_cell(all[i]) : std::string{}) + " |";
        }
        table += "\n";
    }
    return table;
}

}  // namespace

TEST_CASE("the README's table of APIs is the one of the declarations") {
    std::ifstream file{KAFKAWIRE_SOURCE_DIR "/README.md"};
    REQUIRE(file);
    std::stringstream text;
    text << file.rdbuf();
    INFO("the table must be:\n" << api_table());
    CHECK(text.str().find(api_table()) != std::string::npos);
}
