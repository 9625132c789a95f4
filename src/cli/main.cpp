#include "cli/command.hpp"

int main(int argc, char** argv) { return kafkawire::cli::run(argc, argv); }
