#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/glossary.hpp>

#include "catch.hpp"

using namespace kafkawire::protocol;

namespace {

void check_meanings(const message_schema& message, const struct_schema& schema) {
    for (const auto& f : schema.fields) {
        INFO(message.name << " " << schema.name << "." << f.name);
        CHECK_FALSE(meaning_of(f.name, message.name).empty());
        if (f.what == kind::structure) check_meanings(message, *f.schema());
        if (f.what == kind::array && f.array->element == kind::structure) check_meanings(message, *f.array->element_schema());
    }
}

}  // namespace

TEST_CASE("every field of every message has a meaning") {
    for (const auto* m : messages_list()) check_meanings(*m, *m->body);
}

TEST_CASE("a name can mean something else in one message") {
    CHECK(meaning_of("leader") != meaning_of("leader", "JoinGroup"));
    CHECK(meaning_of("leader", "Metadata") == meaning_of("leader"));
    CHECK(meaning_of("noSuchField").empty());
}
