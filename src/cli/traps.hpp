// Why bytes do not decode: the mistakes that writers of this protocol make, each tried on the bytes at hand.
#pragma once
#include <cli/frame_reading.hpp>

namespace kafkawire::cli {

/// A sentence that names the mistake, if undoing it makes the bytes decode; else a general hint for the kind of error. `failed` is what
/// read() gave for `bytes`.
[[nodiscard]] std::string name_the_trap(const outcome& failed, protocol::bytes_view bytes);

}  // namespace kafkawire::cli
