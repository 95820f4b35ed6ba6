// Sizes of blocks, thresholds and other choices that depend on what GPUs are like. None of them was
// measured on a GPU: each says what it was derived from.
#pragma once

#include <cstddef>
#include <cstdint>

namespace efl::cuda {

// What every device allows: threads of a block, dynamic shared memory that need not be asked for,
// parameters of a kernel.
constexpr int32_t kMostThreads = 1024;
constexpr int32_t kGivenShared = 48 * 1024;
constexpr std::size_t kMostParameterBytes = 4096;
// As many levels as fit these parameters.
constexpr int32_t kMostLevelsOfLaunch = 8;

// Rows. Two blocks of so many threads leave each the 80 registers that the kernels need; the
// general form has whatever the compiler finds best.
constexpr int32_t kMostRowsThreads = 384;
constexpr int32_t kRowsBlocks = 2;
// Vectors of each thread on their way: the bytes that hide the latency of memory.
constexpr int32_t kRing = 4;
// The chunks of a large problem are so short that sums in float32 stay exact to about 1e-6, and
// there are enough of them for the largest GPU.
constexpr int64_t kStepsPerChunk = 128;
constexpr int64_t kFewestBlocks = 1024;

// Planes. A block's positions, and how many of them a thread has: what it does once for a class
// costs the less the more there are, and the short elements of 16-bit results leave it the
// registers for twice as many.
constexpr int32_t kUnitPositions = 2048;
constexpr int32_t kPlanesElements = 8;
constexpr int32_t kPlanesElementsOf16Bit = 16;
// Classes of a block: few enough that there are blocks for the largest GPU, enough that it pays to
// read the labels. Their sums, gammas and weights lie in shared memory.
constexpr int64_t kWantedPlanesBlocks = 2048;
constexpr int32_t kFewestClassesOfGroup = 4;
constexpr int32_t kMostClassesOfGroup = 32;
// Blocks of 128 and of 256 threads that a multiprocessor has to have the registers for: enough of
// what they load is under way then. In code for compute capability 10 the fifth would spill
// registers.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
constexpr int32_t kBlocksOf128 = 4;
#else
constexpr int32_t kBlocksOf128 = 5;
#endif
constexpr int32_t kBlocksOf256 = 3;

// The survey is bound by memory: blocks of the usual size, as many as fill the largest GPU.
constexpr int32_t kSurveyThreads = 256;
constexpr int32_t kMostSurveyBlocks = 1024;

// A warp reads neighbouring columns; the chunks of a column are shared by so many warps.
constexpr int32_t kFinishColumns = 32;
constexpr int32_t kFinishShares = 16;

// A thread for each class: small blocks, so that few classes, too, are on several multiprocessors.
constexpr int32_t kSettleThreads = 128;

// Elements of a part of arrays from the host: large enough for the copies, small enough that they
// soon overlap. Tests have less of them, so that their problems come in parts, too.
#if !defined(EFL_PART_ELEMENTS)
#define EFL_PART_ELEMENTS (1 << 22)
#endif
constexpr int64_t kPartElements = EFL_PART_ELEMENTS;

}  // namespace efl::cuda
