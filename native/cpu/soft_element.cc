#include "../core/loss_math.h"
#include "../core/scalar_math.h"
#include "kernels.h"

namespace efl::cpu {

SoftElement soft_element(const efl_problem& problem, double logit, double target, double gamma,
                         double positive_weight, double negative_weight) {
  return with_loss(problem.loss, [&](auto kind) {
    const SoftTerms<ScalarMath> terms = soft_terms<decltype(kind), ScalarMath>(
        logit, target, gamma, positive_weight, negative_weight, problem.constants);
    return SoftElement{terms.loss(), terms.gradient, terms.share};
  });
}

}  // namespace efl::cpu
