#include "pin_library.h"

#include <dlfcn.h>

namespace efl::node {

void pin_library() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&pin_library), &info) && info.dli_fname) {
    // Already loaded, so this only marks it; the handle is kept on purpose.
    (void)dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  }
}

}  // namespace efl::node
