#include <dlfcn.h>

#include "shared_library.h"

namespace efl::node {

void* open_library(const std::string& path, std::string& problem) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* const text = dlerror();
    problem = text ? text : "the file cannot be opened";
  }
  return library;
}

void* find_symbol(void* library, const char* name) { return dlsym(library, name); }

}  // namespace efl::node
