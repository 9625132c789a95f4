// The command line of go-kafka, nearest names, tables.
#include "catch.hpp"

#include <array>

#include "cli/failure.hpp"
#include "cli/go_kafka.hpp"
#include "cli/nearest.hpp"
#include "cli/output.hpp"

using namespace kafkawire::cli;
using words = std::vector<std::string>;

namespace {

words rewritten(const words& w) { return rewrite_go_kafka(w).words; }

}  // namespace

TEST_CASE("go-kafka's commands become ours") {
    CHECK(rewritten({"-list", "-brokers", "a:9092,b:9092"}) == words{"topics", "list", "--names", "--brokers", "a:9092,b:9092"});
    CHECK(rewritten({"--list", "--brokers=a:9092"}) == words{"topics", "list", "--names", "--brokers", "a:9092"});
    CHECK(rewritten({"-query", "-brokers", "a", "-topic", "t"}) == words{"topics", "describe", "--brokers", "a", "t"});
    CHECK(rewritten({"-query", "-brokers", "a"}) == words{"topics", "describe", "--brokers", "a"});
    CHECK(rewritten({"-produce", "-brokers", "a", "-topic", "t", "-value", "x y"}) ==
          words{"produce", "t", "--brokers", "a", "--report", "--value=x y", "--partition", "0", "--create", "1:1"});
    CHECK(rewritten({"-produce", "-brokers=a", "-topic=t", "-value=-v", "-key=", "-partition=4", "-replica=2"}) ==
          words{"produce", "t", "--brokers", "a", "--report", "--value=-v", "--key=", "--partition", "4", "--create", "4:2"});
    CHECK(rewritten({"-consume", "-brokers", "a", "-topics", "t", "-group", "g", "-partition", "1", "-offset", "2310"}) ==
          words{"consume", "t", "--brokers", "a", "--partition", "1", "--group", "g", "--offset", "2310"});
}

TEST_CASE("go-kafka's defaults: partition 0, a group of its own, 0 newest and 1 oldest") {
    const auto absent = rewritten({"-consume", "-brokers", "a", "-topic", "t"});
    REQUIRE(absent.size() == 10);
    CHECK(absent[5] == "0");
    CHECK(absent[6] == "--group");
    CHECK(absent[7].starts_with("kafka-cli-"));
    CHECK(absent[8] == "--default-offset");
    CHECK(absent[9] == "end");
    CHECK(rewritten({"-consume", "-brokers", "a", "-topic", "t", "-group", "g", "-offset", "0"}).back() == "end");
    CHECK(rewritten({"-consume", "-brokers", "a", "-topic", "t", "-group", "g", "-offset", "1"}).back() == "start");
}

TEST_CASE("go-kafka's form is recognised by its first word only") {
    CHECK(is_go_kafka_form({"-list"}));
    CHECK(is_go_kafka_form({"--consume", "-topic", "t"}));
    CHECK_FALSE(is_go_kafka_form({}));
    CHECK_FALSE(is_go_kafka_form({"-h"}));
    CHECK_FALSE(is_go_kafka_form({"topics", "-list"}));
    CHECK(rewrite_go_kafka({"-list", "-help"}).help);
    CHECK(rewrite_go_kafka({"-consume", "--h"}).help);
}

TEST_CASE("go-kafka's form says what is wrong") {
    const auto why = [](const words& w) {
        try {
            (void)rewrite_go_kafka(w);
        } catch (const failure& f) {
            CHECK(f.exit == status::usage);
            return f.message + " | " + f.hint;
        }
        return std::string{};
    };
    CHECK(why({"-list"}) == "-list needs -brokers | for example -brokers 127.0.0.1:9092");
    CHECK(why({"-list", "-borkers", "a"}) == "there is no option -borkers in the go-kafka form | did you mean -brokers?");
    CHECK(why({"-list", "-produce"}) == "-list and -produce are two commands | give one of -list, -query, -consume, -produce");
    CHECK(why({"-list", "-brokers", "a", "--until-end"}).find("--until-end") != std::string::npos);
    CHECK(why({"-consume", "-brokers", "a", "-topic", "t", "-partition", "x"}) == "-partition takes a whole number, not \"x\" | ");
    CHECK(why({"-produce", "-brokers", "a", "-topic", "t"}).starts_with("-produce needs -value"));
    CHECK(why({"-list", "-brokers"}).starts_with("-brokers has no value"));
    CHECK(why({"-list", "stray"}).starts_with("\"stray\" is no option"));
}

TEST_CASE("the nearest name is offered only when it is near") {
    const words names = {"topics", "produce", "consume", "decode", "encode", "explain"};
    CHECK(nearest("topisc", names) == "topics");
    CHECK(nearest("consum", names) == "consume");
    CHECK(nearest("PRODUCE", names) == "produce");
    CHECK(nearest("exp", names) == "explain");
    CHECK_FALSE(nearest("banana", names));
    CHECK_FALSE(nearest("", names));
    CHECK_FALSE(nearest(std::string(100'000, 'x'), names));
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("ab", "ba") == 1);
    CHECK(edit_distance("", "abc") == 3);
}

TEST_CASE("a table is aligned for people and plain for scripts") {
    table t{{"NAME", "N"}, {}};
    t.add({"é", "1"});
    t.add({"long name", ""});
    CHECK(t.text() == "NAME       N\né          1\nlong name\n");
    t.add({"a\tb\nc", "2"});
    CHECK(t.tsv() == "é\t1\nlong name\t-\na b c\t2\n");
}

TEST_CASE("a failure is a sentence and a hint, or one JSON object") {
    failure f{status::failed, "bad_hex", "no \"hex\" \xff here", "try again"};
    CHECK(to_text(f) == "kafka-cli: no \"hex\" \xff here\nhint: try again\n");
    CHECK(to_json(f) == "{\"error\":{\"code\":0,\"name\":\"bad_hex\",\"message\":\"no \\\"hex\\\" \xef\xbf\xbd here\",\"hint\":\"try again\",\"broker\":null,\"api\":null,\"cause\":null}}\n");
}
