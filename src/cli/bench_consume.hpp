// `bench consume`: how fast and how cheap records are read.
#pragma once
#include <cli/command.hpp>

namespace kafkawire::cli {

void add_bench_consume(command parent);

}  // namespace kafkawire::cli
