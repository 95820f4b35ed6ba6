#pragma once

namespace efl::cpu {

// Keeps the library this code is in, the addon or libefl, in memory until the process ends. When
// the last that uses a library is gone (for an addon: the last worker of Node.js), it is unloaded,
// and the pool's parked threads would be left without the code they are to run next.
void pin_library();

}  // namespace efl::cpu
