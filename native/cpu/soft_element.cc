#include "../core/loss_math.h"
#include "../core/scalar_math.h"
#include "kernels.h"

namespace efl::cpu {

SoftElement soft_element(efl_loss loss, double logit, double target, double gamma,
                         double positive_weight, double negative_weight) {
  // alpha_t for a soft target; the two weights are equal in the quality losses.
  const double weight = target * positive_weight + (1.0 - target) * negative_weight;
  return with_loss(loss, [&](auto element) {
    const auto terms =
        decltype(element)::template soft<ScalarMath>(logit, target, 1.0 - target, gamma, weight);
    // A soft target is a positive in part; an element with a quality is one altogether.
    return SoftElement{terms.loss(), terms.gradient, element.kOfQuality ? 1.0 : target};
  });
}

}  // namespace efl::cpu
