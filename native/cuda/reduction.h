// What a call does where the numbers of several processes are to be added up: the counts of the
// survey become those of all processes before anything is computed, and so do sums and flags before
// they enter the state. All in the order of the stream.
#pragma once

#include "fused_call.h"
#include "settle.h"

namespace efl::cuda {

class Reduction {
 public:
  // On the device.
  struct Arrays {
    explicit Arrays(Parts* parts)
        : counts(parts->take<double>(kReducedCounts)), survey(parts->take<SurveyTotals>(1)) {}
    double* counts;
    SurveyTotals* survey;  // of all processes
  };

  // What is due: a call has counts, and a step has sums.
  Reduction(const efl_reducer& reducer, cudaStream_t stream, int device, const Arrays& arrays,
            const Sums& sums, bool counts_due, bool sums_due);

  void add_up_counts();
  // For the settlement, which the parameters are those of.
  void add_up_sums(SettleParams* settle);
  // For a commit, likewise.
  void add_up_pending(CommitParams* commit);
  // Tells the others, who wait for what this process has not come to.
  void fail() noexcept;

 private:
  void sum(double* values, int64_t count, bool* due);

  const efl_reducer& reducer_;
  const cudaStream_t stream_;
  const int device_;
  const Arrays arrays_;
  const Sums sums_;
  bool counts_due_, sums_due_;
};

}  // namespace efl::cuda
