#include "reduction.h"

#include "device.h"
#include "tuning.h"

namespace efl::cuda {
namespace {

struct CountsParams {
  const SurveyTotals* own;
  double* counts;
  SurveyTotals* all;
};

__global__ void give_counts_kernel(const __grid_constant__ CountsParams p) {
  const FirstBad& bad = p.own->bad;
  p.counts[kReducedRows] = static_cast<double>(p.own->rows);
  p.counts[kReducedPositives] = static_cast<double>(p.own->positives);
  p.counts[kReducedIgnored] = static_cast<double>(p.own->ignored);
  p.counts[kReducedWeights] = p.own->weights;
  p.counts[kReducedMasked] = static_cast<double>(p.own->masked);
  p.counts[kFailedSurveys] = bad.label != kNothingBad || bad.quality != kNothingBad ||
                             bad.target != kNothingBad || bad.weight != kNothingBad;
}

__global__ void take_counts_kernel(const __grid_constant__ CountsParams p) {
  *p.all = {static_cast<unsigned long long>(p.counts[kReducedRows]),
            static_cast<unsigned long long>(p.counts[kReducedPositives]),
            static_cast<unsigned long long>(p.counts[kReducedIgnored]),
            static_cast<unsigned long long>(p.counts[kReducedMasked]),
            p.counts[kReducedWeights],
            kAllGood};
}

struct SumsParams {
  SettleParams settle;
  double* sums;  // of positives and negatives, and the flags
  int32_t count;
};

// With their scale, which may be another one in each process.
__global__ void __launch_bounds__(kSettleThreads)
    give_sums_kernel(const __grid_constant__ SumsParams p) {
  const efl_status status = status_of(p.settle);
  const Scales scales = scales_on_device(p.settle.problem, p.settle.scalars);
  const double scale = statistics_scale(p.settle, status, scales);
  const int32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < p.count) p.sums[i] = scale == 0 ? 0 : p.sums[i] * scale;
  if (i != 0) return;
  p.sums[p.count + kSeenFlag] = scale != 0;
  p.sums[p.count + kFailedFlag] = status != EFL_OK;
}

struct PendingParams {
  PendingArrays pending;
  double* sums;  // of positives and negatives, and the flags
  int32_t classes, columns;
};

__global__ void __launch_bounds__(kSettleThreads)
    give_pending_kernel(const __grid_constant__ PendingParams p) {
  const int32_t j = blockIdx.x * blockDim.x + threadIdx.x;
  if (j < p.columns) {
    p.sums[j] = j < p.classes ? p.pending.positive[j] : 0;
    p.sums[p.columns + j] = j < p.classes ? p.pending.negative[j] : 0;
  }
  if (j != 0) return;
  p.sums[2 * p.columns + kSeenFlag] = *p.pending.calls > 0;
  p.sums[2 * p.columns + kFailedFlag] = 0;
}

unsigned blocks_for(int32_t threads) {
  return static_cast<unsigned>((threads + kSettleThreads - 1) / kSettleThreads);
}

}  // namespace

Reduction::Reduction(const efl_reducer& reducer, cudaStream_t stream, int device,
                     const Arrays& arrays, const Sums& sums, bool counts_due, bool sums_due)
    : reducer_(reducer),
      stream_(stream),
      device_(device),
      arrays_(arrays),
      sums_(sums),
      counts_due_(counts_due),
      sums_due_(sums_due) {}

void Reduction::sum(double* values, int64_t count, bool* due) {
  check_launches();
  *due = false;
  const efl_status status = reducer_.sum(reducer_.self, values, count, stream_);
  check(status == EFL_OK              ? cudaSuccess
        : status == EFL_OUT_OF_MEMORY ? cudaErrorMemoryAllocation
                                      : cudaErrorUnknown);
  check(cudaSetDevice(device_));  // whatever the reducer has made the current one
}

void Reduction::add_up_counts() {
  const CountsParams params = {sums_.survey, arrays_.counts, arrays_.survey};
  EFL_LAUNCH(give_counts_kernel, dim3(1), dim3(1), 0, stream_, params);
  sum(arrays_.counts, kReducedCounts, &counts_due_);
  EFL_LAUNCH(take_counts_kernel, dim3(1), dim3(1), 0, stream_, params);
}

void Reduction::add_up_sums(SettleParams* settle) {
  settle->counts = arrays_.counts;
  if (!sums_due_) return;
  const SumsParams params = {*settle, sums_.of_columns, 2 * sums_.columns};
  EFL_LAUNCH(give_sums_kernel, dim3(blocks_for(params.count)), dim3(kSettleThreads), 0, stream_,
             params);
  sum(sums_.of_columns, sums_.count(), &sums_due_);
  settle->flags = sums_.flags();
}

void Reduction::add_up_pending(CommitParams* commit) {
  const PendingParams params = {commit->pending, sums_.of_columns, commit->classes, sums_.columns};
  EFL_LAUNCH(give_pending_kernel, dim3(blocks_for(params.columns)), dim3(kSettleThreads), 0,
             stream_, params);
  sum(sums_.of_columns, sums_.count(), &sums_due_);
  commit->negative_sums = sums_.negative();
  commit->positive_sums = sums_.positive();
  commit->flags = sums_.flags();
}

void Reduction::fail() noexcept {
  static const double counts[kReducedCounts] = {0, 0, 0, 0, 0, 1}, flags[kReducedFlags] = {0, 1};
  const auto say = [&](double* to, const double* failed, std::size_t bytes) {
    check(cudaMemcpyAsync(to, failed, bytes, cudaMemcpyHostToDevice, stream_));
  };
  try {
    if (counts_due_) {
      say(arrays_.counts, counts, sizeof counts);
      sum(arrays_.counts, kReducedCounts, &counts_due_);
    }
    if (sums_due_) {
      say(sums_.flags(), flags, sizeof flags);
      sum(sums_.of_columns, sums_.count(), &sums_due_);
    }
  } catch (const CudaError&) {
    // The device or the reducer has failed, which is for those who wait to find out.
  }
}

}  // namespace efl::cuda
