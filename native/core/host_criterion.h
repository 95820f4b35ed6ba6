// A criterion on the host: what it is and, for the equalized ones, its gradient statistics. One
// call at a time; what reads the state may do so meanwhile, from any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "backend.h"
#include "call.h"
#include "statistics.h"

namespace efl {

class HostCriterion {
 public:
  HostCriterion(Spec spec, const efl_backend* backend);

  const SpecView& spec() const { return spec_; }
  const efl_backend& backend() const { return *backend_; }
  int32_t columns() const { return spec_.columns(); }
  bool keeps_statistics() const { return spec_.keeps_statistics(); }

  // Computes a call that has been checked, with the parameters that follow from the calls before,
  // and folds its statistics in, or keeps them aside, where it wants that. Of a call whose logits
  // are gradients nothing else is wanted. A reducer makes the counts those of several processes,
  // and the sums where they are folded in.
  efl_status compute(const efl_call& call, bool gradients_given, int32_t threads,
                     efl_report* report, const efl_reducer* reducer = nullptr);
  // Folds in what was kept aside, as one step. With a reducer all processes do so, also those that
  // have nothing to add.
  efl_status commit(int32_t threads, const efl_reducer* reducer = nullptr);
  // What a call does with such sums of gradients, one value for each class.
  efl_status collect(const double* positive, const double* negative, bool defers, int32_t threads);

  // Copies, consistent in themselves.
  GradientStatistics statistics() const;
  PendingSums pending() const;
  int64_t pending_calls() const;
  // These either take place whole or throw std::bad_alloc. What waits for a commit stays where it
  // is, but where the state begins anew.
  void replace(GradientStatistics statistics);
  void replace(GradientStatistics statistics, PendingSums pending);
  void restore(const double* positive, const double* negative, const double* ratio, int64_t steps);
  void use_ratios(const double* ratio);
  void merge(const double* positive, const double* negative, int64_t steps);
  void reset();

  std::size_t memory() const;

 private:
  double* positive_sums() { return sums_.data(); }
  double* negative_sums() { return sums_.data() + columns(); }
  efl_status compute(const efl_problem& problem, bool aside, efl_report* report,
                     const efl_reducer* reducer);
  // The parameters of a call that the statistics have no part in.
  void use_base_parameters(efl_problem* problem);
  // The sums of all processes, and whether any of them has `seen` a gradient.
  efl_status reduce_sums(const efl_reducer& reducer, efl_status status, bool* seen);
  // The sums that a call has left enter the state, or join those that wait for a commit, for which
  // there has to be room.
  void take_sums(bool aside, int32_t threads);
  bool has_room_aside();
  // The statistics and parameters after a call, in parts of classes that threads take in any order:
  // what comes of a class depends on its own sums alone.
  void update(int32_t threads);
  // Whether any class has seen a gradient. Sums without one say nothing of the balance of classes,
  // and g does not change for them: those of a call whose rows are all ignored, or whose loss
  // weighs nothing.
  bool have_gradients(const double* positive, const double* negative) const;

  const Spec spec_;
  const efl_backend* const backend_;
  const efl_parameter_range range_;  // of the parameters, whatever the statistics
  // Workspace of the one computation that can be under way: sums over the positives of each column,
  // over its negatives, and the flags of a reducer.
  std::vector<double> sums_;

  mutable std::mutex mutex_;
  GradientStatistics statistics_;
  PendingSums pending_;
  ColumnParameters parameters_;
  // Where there are statistics: takes the parameters of the next call, which then change places
  // with the present ones: a call allocates nothing and cannot fail after its computation. A call
  // without a gradient may have others there.
  ColumnParameters spare_;
};

}  // namespace efl
