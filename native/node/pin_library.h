#pragma once

namespace efl::node {

// Keeps this library in memory until the process ends. Node unloads an addon with the last
// environment that uses it, and when that was a worker the pool's parked threads would be left
// without the code they are to run next.
void pin_library();

}  // namespace efl::node
