#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#include "shared_library.h"

namespace efl::node {
namespace {

std::wstring wide(const std::string& text) {
  const int size = static_cast<int>(text.size());
  std::wstring wide(MultiByteToWideChar(CP_UTF8, 0, text.data(), size, nullptr, 0), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), size, wide.data(), static_cast<int>(wide.size()));
  return wide;
}

}  // namespace

void* open_library(const std::string& path, std::string& problem) {
  const HMODULE library = LoadLibraryW(wide(path).c_str());
  if (!library) {
    problem = "the file cannot be opened (Windows error " + std::to_string(GetLastError()) + ")";
  }
  return library;
}

void* find_symbol(void* library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), name));
}

}  // namespace efl::node
