#include "pin_library.h"

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace efl::cpu {

void pin_library() {
#if defined(_WIN32)
  // The library that has this address.
  const auto address = reinterpret_cast<LPCWSTR>(&pin_library);
  HMODULE library;
  (void)GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                           address, &library);
#else
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&pin_library), &info) && info.dli_fname) {
    // Already loaded, so this only marks it; the handle is kept on purpose.
    (void)dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  }
#endif
}

}  // namespace efl::cpu
