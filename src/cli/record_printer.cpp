#include "cli/record_printer.hpp"

#include <fmt/format.h>

namespace kafkawire::cli {

void record_printer::print(const shown_record& r, std::uint64_t count) {
    line_.clear();
    if (format_) {
        format_->append(line_, r, count);
    } else if (context_.format == output_format::json) {
        append_json(line_, r);
        line_ += '\n';
    } else if (context_.format == output_format::tsv) {
        table t;
        t.add({std::string{r.topic}, std::to_string(r.partition), std::to_string(r.offset), std::to_string(r.timestamp), std::string{r.key.value_or("")}, std::string{r.value.value_or("")}});
        line_ = t.tsv();
    } else {
        if (r.control.empty()) line_ += r.value.value_or("");
        else line_ += fmt::format("[{} of producer {}]", r.control, r.producer_id);
        line_ += '\n';
    }
    context_.out->write(line_);
}

}  // namespace kafkawire::cli
