// Writes the values that all clients of a comparison send, one a line: bench-values COUNT SIZE > FILE. The floor's own generator.
#include <cstdio>
#include <cstdlib>

#include "../yardstick.hpp"

int main(int argc, char** argv) {
    const long count = argc > 1 ? std::atol(argv[1]) : 0, size = argc > 2 ? std::atol(argv[2]) : 0;
    if (argc != 3 || count < 1 || size < 1) {
        std::fputs("usage: bench-values COUNT SIZE\n", stderr);
        return 2;
    }
    for (const auto& v : yardstick::make_values(static_cast<std::size_t>(count), static_cast<std::size_t>(size))) {
        std::fwrite(v.data(), 1, v.size(), stdout);
        std::fputc('\n', stdout);
    }
    return std::fflush(stdout) == 0 ? 0 : 1;
}
