// What members and pipelines of this program have in common: reports, and how a record is checked.
#pragma once

#include <kafkawire/consumer.hpp>

#include <optional>
#include <string>
#include <vector>

#include "member.hpp"
#include "report.hpp"

namespace faults {

/// Writes whole reports to standard output; ends the process when nobody reads them.
class reporter {
public:
    void add(report r);
    void flush();

private:
    std::vector<report> waiting_;
};

[[nodiscard]] kw::client_options client_of(const member_options& o);
[[nodiscard]] kw::consumer_options consumer_of(const member_options& o);

/// Everything that is known of the membership and of what is read, to the error output.
void describe(const kw::consumer& c);

/// Reports all records of a poll, as runs; flushes.
void report_records(const member_options& o, const kw::records& got, reporter& to);

}  // namespace faults
