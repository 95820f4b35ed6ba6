# The addon and the library for programs in C, for node-gyp. Its CPU kernels are compiled once per instruction set, and gyp has flags
# for targets only: hence one static library for each.
{
  "variables": {
    "conditions": [
      ["OS=='mac'", { "library_extension": "dylib" }, { "library_extension": "so" }]
    ]
  },
  "target_defaults": {
    "cflags_cc": ["-std=c++17", "-fvisibility=hidden", "-fvisibility-inlines-hidden", "-Wall", "-Wextra", "-Wno-psabi"],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags": ["-O3", "-fPIC"],
    "cflags!": ["-fno-exceptions"],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
      "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
      "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
      "GCC_OPTIMIZATION_LEVEL": "3",
      "MACOSX_DEPLOYMENT_TARGET": "11.0"
    }
  },
  "targets": [
    {
      "target_name": "efl_kernels_baseline",
      "type": "static_library",
      "sources": ["native/cpu/kernels_baseline.cc"]
    },
    {
      "target_name": "efl_kernels_avx2",
      "type": "static_library",
      "sources": ["native/cpu/kernels_avx2.cc"],
      "conditions": [
        ["target_arch=='x64'", {
          "cflags": ["-mavx2", "-mfma", "-mf16c"],
          "xcode_settings": { "OTHER_CFLAGS": ["-mavx2", "-mfma", "-mf16c"] }
        }]
      ]
    },
    {
      "target_name": "efl_kernels_avx512",
      "type": "static_library",
      "sources": ["native/cpu/kernels_avx512.cc"],
      "variables": {
        "flags": ["-mavx2", "-mfma", "-mf16c", "-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mprefer-vector-width=512"]
      },
      "conditions": [
        ["target_arch=='x64'", {
          "cflags": ["<@(flags)"],
          "xcode_settings": { "OTHER_CFLAGS": ["<@(flags)"] }
        }]
      ]
    },
    {
      "target_name": "efl_core",
      "type": "static_library",
      "cflags": ["-fno-trapping-math"],
      "sources": [
        "native/core/call.cc",
        "native/core/host_criterion.cc",
        "native/core/spec.cc",
        "native/core/statistics.cc"
      ]
    },
    {
      "target_name": "efl_cpu",
      "type": "static_library",
      "sources": [
        "native/cpu/available_processors.cc",
        "native/cpu/cpu_backend.cc",
        "native/cpu/cpu_features.cc",
        "native/cpu/dense.cc",
        "native/cpu/kernels_scalar.cc",
        "native/cpu/pin_library.cc",
        "native/cpu/soft_element.cc",
        "native/cpu/survey.cc",
        "native/cpu/thread_pool.cc"
      ]
    },
    {
      "target_name": "efl_library",
      "type": "shared_library",
      "product_name": "efl",
      "product_prefix": "lib",
      "product_extension": "<(library_extension)",
      "dependencies": ["efl_core", "efl_cpu", "efl_kernels_baseline", "efl_kernels_avx2", "efl_kernels_avx512"],
      "defines": ["EFL_VERSION=\"<!(node -p \"require('./package.json').version\")\""],
      "sources": [
        "native/c/efl.cc",
        "native/c/errors.cc"
      ],
      "libraries": ["-ldl", "-lpthread"],
      "conditions": [
        ["OS=='linux'", {
          "ldflags": ["-Wl,--version-script=<(module_root_dir)/native/c/exports.map"]
        }]
      ]
    },
    {
      "target_name": "efl",
      "dependencies": ["efl_core", "efl_cpu", "efl_kernels_baseline", "efl_kernels_avx2", "efl_kernels_avx512"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["EFL_VERSION=\"<!(node -p \"require('./package.json').version\")\""],
      "sources": [
        "native/node/addon.cc",
        "native/node/codes.cc",
        "native/node/criterion.cc",
        "native/node/criterion_registry.cc",
        "native/node/criterion_state.cc",
        "native/node/device_objects.cc",
        "native/node/device_resources.cc",
        "native/node/devices.cc",
        "native/node/executor.cc",
        "native/node/levels.cc",
        "native/node/names.cc",
        "native/node/options.cc",
        "native/node/shared_library_posix.cc"
      ],
      "libraries": ["-ldl", "-lpthread"],
      "conditions": [
        ["OS=='linux'", {
          "ldflags": ["-Wl,--version-script=<(module_root_dir)/native/node/exports.map"]
        }]
      ]
    }
  ]
}
