// The command line of go-kafka's kafka-cli (`-list -brokers a:9092`), rewritten to ours before anything else looks at it.
#pragma once
#include <kafkawire/version.hpp>

#include <string>
#include <vector>

namespace kafkawire::cli {

struct go_kafka_words {
    bool help = false;               ///< its own usage was asked for
    std::vector<std::string> words;  ///< the command line in the new form
};

/// Whether the first word is one of -list, -query, -consume, -produce (one dash or two).
[[nodiscard]] bool is_go_kafka_form(const std::vector<std::string>& words);

/// Commands -list -query -consume -produce, options -brokers -topic -group -partition -replica -offset -key -value, with one dash or two, as
/// `-x v` or `-x=v`. Raises a usage failure for what that form has not, and names the new spelling where the new form has it.
[[nodiscard]] go_kafka_words rewrite_go_kafka(const std::vector<std::string>& words);

[[nodiscard]] std::string go_kafka_usage();

}  // namespace kafkawire::cli
