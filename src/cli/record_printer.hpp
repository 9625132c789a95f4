// How `consume` writes a record to standard output.
#pragma once
#include <string>

#include "cli/command.hpp"
#include "cli/record.hpp"

namespace kafkawire::cli {

/// Writes records as the context and, where it is given, the format say. Both outlive it.
class record_printer {
public:
    record_printer(context& c, const std::optional<record_format>& f) : context_{c}, format_{f} {}
    /// `count`: how many records were written, with this one. Raises what output raises.
    void print(const shown_record& r, std::uint64_t count);
    void flush() { context_.out->flush(); }

private:
    context& context_;
    const std::optional<record_format>& format_;
    std::string line_;
};

}  // namespace kafkawire::cli
