# Header and library are where the package says, in quotes for the sake of spaces in these paths.
# -ffp-contract=off: C rounds as JavaScript does.
{
  "variables": {
    "include": "<!(node -p \"require('equalized-focal-loss/native').include\")",
    "library": "<!(node -p \"require('equalized-focal-loss/native').library\")",
    "folder": "<!(node -p \"path.dirname(require('equalized-focal-loss/native').library)\")"
  },
  "target_defaults": {
    "libraries": ["'<(library)'"],
    "cflags_c": ["-I'<(include)'", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-ffp-contract=off"],
    "ldflags": ["-Wl,-rpath,'<(folder)'"],
    "xcode_settings": {
      "OTHER_CFLAGS": ["-I'<(include)'", "-std=c99", "-ffp-contract=off"],
      "OTHER_LDFLAGS": ["-Wl,-rpath,'<(folder)'"]
    }
  },
  "targets": [
    { "target_name": "training", "sources": ["addon.c", "training.c"] },
    { "target_name": "program", "type": "executable", "sources": ["program.c", "training.c"] }
  ]
}
