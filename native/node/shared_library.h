// Shared libraries, as each system opens them.
#pragma once

#include <string>

namespace efl::node {

// Opens a library for good; its path is UTF-8. Null where it cannot be opened, and `problem` says
// why.
void* open_library(const std::string& path, std::string& problem);

// Null where the library has no such symbol.
void* find_symbol(void* library, const char* name);

}  // namespace efl::node
