#include "broker/consumer_group_regex.hpp"

#include <re2/re2.h>

namespace kafkawire::broker {
namespace {

re2::RE2::Options quiet() {
    re2::RE2::Options o;
    o.set_log_errors(false);
    return o;
}

const char* words_for(re2::RE2::ErrorCode code) {
    switch (code) {
        case re2::RE2::ErrorBadEscape: return "invalid escape sequence";
        case re2::RE2::ErrorBadCharClass: return "invalid character class";
        case re2::RE2::ErrorBadCharRange: return "invalid character class range";
        case re2::RE2::ErrorMissingBracket: return "missing closing ]";
        case re2::RE2::ErrorMissingParen: return "missing closing )";
        case re2::RE2::ErrorTrailingBackslash: return "trailing backslash at end of expression";
        case re2::RE2::ErrorRepeatArgument: return "missing argument to repetition operator";
        case re2::RE2::ErrorRepeatSize: return "invalid repeat count";
        case re2::RE2::ErrorRepeatOp: return "invalid nested repetition operator";
        case re2::RE2::ErrorBadPerlOp: return "invalid or unsupported Perl syntax";
        case re2::RE2::ErrorBadUTF8: return "invalid UTF-8";
        case re2::RE2::ErrorBadNamedCapture: return "invalid named capture";
        case re2::RE2::ErrorPatternTooLarge: return "expression too large";
        default: return "regexp/syntax: internal error";
    }
}

}  // namespace

std::optional<std::string> regex_error(const std::string& expression) {
    const re2::RE2 compiled{expression, quiet()};
    if (compiled.ok()) return {};
    return words_for(compiled.error_code());
}

std::set<std::string> regex_matches(const std::string& expression, const std::vector<std::string>& names) {
    std::set<std::string> matching;
    const re2::RE2 compiled{expression, quiet()};
    if (!compiled.ok()) return matching;
    for (const auto& name : names)
        if (re2::RE2::FullMatch(name, compiled)) matching.insert(name);
    return matching;
}

}  // namespace kafkawire::broker
