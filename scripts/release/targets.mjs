// The platforms of a release: their folder below prebuilds/, and what Zig calls them.
//
// glibc 2.28 and macOS 11 are what Node.js 20 and 22 need themselves.
export const targets = [
  { tuple: 'linux-x64', target: 'x86_64-linux-gnu.2.28' },
  { tuple: 'linux-arm64', target: 'aarch64-linux-gnu.2.28' },
  { tuple: 'linux-x64-musl', target: 'x86_64-linux-musl' },
  { tuple: 'linux-arm64-musl', target: 'aarch64-linux-musl' },
  { tuple: 'darwin-arm64', target: 'aarch64-macos.11.0' },
  { tuple: 'darwin-x64', target: 'x86_64-macos.11.0' },
  { tuple: 'win32-x64', target: 'x86_64-windows-gnu' },
];

/** The addon, and the library for programs in C with what is needed to link with it. */
export function filesOf(tuple) {
  if (tuple.startsWith('win32')) return ['efl.node', 'efl.dll', 'efl.lib'];
  return ['efl.node', tuple.startsWith('darwin') ? 'libefl.dylib' : 'libefl.so'];
}
