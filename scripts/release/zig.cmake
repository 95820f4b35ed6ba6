# Zig as the cross compiler of the release (build-release.mjs): a Clang with the headers and C libraries of every platform.
# ZIG: the program. EFL_TARGET: architecture, system and C library as Zig names them, such as
# x86_64-linux-gnu.2.28.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ZIG EFL_TARGET)

if(EFL_TARGET MATCHES "linux")
  set(CMAKE_SYSTEM_NAME Linux)
elseif(EFL_TARGET MATCHES "macos")
  set(CMAKE_SYSTEM_NAME Darwin)
elseif(EFL_TARGET MATCHES "windows")
  set(CMAKE_SYSTEM_NAME Windows)
endif()
string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR "${EFL_TARGET}")

# Its baseline switches the 512-bit instructions off, whatever -mavx512f says.
set(EFL_AVX512_OPTIONS -mevex512)

set(CMAKE_CXX_COMPILER "${ZIG}" c++ -target ${EFL_TARGET})
# An archiver of two words, which CMAKE_AR cannot be.
set(CMAKE_CXX_ARCHIVE_CREATE "\"${ZIG}\" ar qc <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_APPEND "\"${ZIG}\" ar q <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_FINISH "\"${ZIG}\" ranlib <TARGET>")

# Without symbols of what is inside.
set(CMAKE_SHARED_LINKER_FLAGS_INIT -s)
# CMake wants it for macOS, to change paths when it installs, which it does not here.
set(CMAKE_INSTALL_NAME_TOOL true)
