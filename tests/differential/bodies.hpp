// From a body as a script has it to the JSON that the library reads: names replaced, batches and other bytes built.
#pragma once
#include <kafkawire/protocol/schema.hpp>

#include "names.hpp"

namespace differential {

/// Replaces `$name`, {utf8: ...}, {hex: ...}, {message: NAME, version, body} and `records`, everywhere in `body`. Puts the first name that
/// nobody has given into `missing`.
document filled(const document& body, const names& with, std::string& missing);

/// Takes out what the version does not have, so that one body can go out in many versions. Names that no version has stay, and are refused
/// later.
void cut_to_version(document& body, const kafkawire::protocol::struct_schema& schema, std::int16_t version);

/// The `records` of a Fetch answer as described batches.
void open_records(document& answer);

}  // namespace differential
