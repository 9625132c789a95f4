// Reads the #include lines of a source tree and says which of them the design forbids.
// Owns: the table of layers. Never: trusts that a header is harmless because its own lines are; it follows what that header includes.
#pragma once
#include <map>
#include <string>
#include <vector>

namespace layering {

// Path from the root ("src/net/connection.cpp") to the file's text.
using tree = std::map<std::string, std::string>;

// The C++ files below ROOT/src and ROOT/include.
tree read_tree(const std::string& root);

// One sentence for each thing that is wrong; empty if nothing is.
std::vector<std::string> violations(const tree& files);

// The layer of a file; empty if the table does not know it.
std::string layer_of(const std::string& path);

}  // namespace layering
