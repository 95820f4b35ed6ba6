// How bytes become settings and calls. Whatever the bytes, the program respects the contract of
// efl.h on memory: arrays have the length that the numbers say, wherever those are valid.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "../../native/include/efl.h"

namespace fuzz {

// An array of its own, so that a step beyond its end is seen.
template <class Value>
using Array = std::vector<Value>;

class Input {
 public:
  Input(const uint8_t* data, std::size_t size) : bytes_(data, size) {}

  // Whether every number so far was such that products of all of them keep within float32.
  bool is_moderate() const { return moderate_; }
  bool has_more() { return bytes_.remaining_bytes() > 0; }

  int32_t integer(int32_t least, int32_t most) {
    return bytes_.ConsumeIntegralInRange<int32_t>(least, most);
  }
  bool one_in(int32_t count) { return integer(1, count) == count; }
  int32_t any_integer() { return bytes_.ConsumeIntegral<int32_t>(); }

  // Mostly the usual value, or one of the same size; now and then anything at all.
  double number(double usual) {
    switch (integer(0, 15)) {
      default:
        return usual;
      case 8:
      case 9:
      case 10:
        return kUsual[integer(0, kUsualCount - 1)];
      case 11:
      case 12:
        return usual * (0.5 + bytes_.ConsumeProbability<double>());
      case 13:
        return -usual;
      case 14:
        return noted(kExtreme[integer(0, kExtremeCount - 1)]);
      case 15: {
        const auto bits = bytes_.ConsumeIntegral<uint64_t>();
        double value;
        std::memcpy(&value, &bits, sizeof value);
        return noted(value);
      }
    }
  }

  int64_t steps() { return one_in(4) ? bytes_.ConsumeIntegral<int64_t>() : integer(0, 100); }

  // Numbers of one size, some of them replaced by anything.
  template <class Value>
  Array<Value> numbers(std::size_t count, double least, double most, bool may_be_extreme) {
    Array<Value> values(count);
    Random random(bytes_.ConsumeIntegral<uint16_t>());
    for (Value& value : values) value = static_cast<Value>(random.between(least, most));
    for (int32_t left = may_be_extreme && count > 0 ? integer(0, 8) : 0; left > 0; --left) {
      const auto at = bytes_.ConsumeIntegralInRange<std::size_t>(0, count - 1);
      values[at] = static_cast<Value>(number(values[at]));
    }
    return values;
  }

  // Logits: what a head gives, with extremes among them that say nothing of the factors.
  Array<float> logits(std::size_t count) {
    const bool moderate = moderate_;
    const double mean = integer(-12, 4), spread = integer(0, 40);
    Array<float> values = numbers<float>(count, mean - spread, mean + spread, true);
    Random random(bytes_.ConsumeIntegral<uint16_t>());
    const int32_t every = one_in(2) ? integer(1, 40) : 0;
    for (float& value : values) {
      if (every && random.next() % static_cast<uint32_t>(every) == 0) {
        value = static_cast<float>(kLogits[random.next() % kLogitCount]);
      }
    }
    moderate_ = moderate;
    return values;
  }

  Array<int32_t> labels(std::size_t count, int32_t classes) {
    Array<int32_t> values(count);
    Random random(bytes_.ConsumeIntegral<uint16_t>());
    const int32_t least = one_in(16) ? -3 : 0;
    const uint32_t ignored = one_in(2) ? 8 : 0;
    for (int32_t& value : values) {
      value = least + static_cast<int32_t>(random.next() % static_cast<uint32_t>(classes + 1));
      if (ignored && random.next() % ignored == 0) value = -1;
    }
    for (int32_t left = count > 0 ? integer(0, 3) : 0; left > 0; --left) {
      const auto at = bytes_.ConsumeIntegralInRange<std::size_t>(0, count - 1);
      values[at] = one_in(4) ? any_integer() : integer(-2, classes + 1);
    }
    return values;
  }

  // In [0, 1], many of them 0 or 1, and a few outside.
  Array<float> shares(std::size_t count) {
    Array<float> values(count);
    Random random(bytes_.ConsumeIntegral<uint16_t>());
    const auto hard = static_cast<uint32_t>(integer(1, 20));
    for (float& value : values) {
      const uint32_t draw = random.next() % 20;
      value = draw >= hard ? static_cast<float>(random.between(0, 1)) : draw % 4 == 0 ? 1.0f : 0.0f;
    }
    const bool moderate = moderate_;
    for (int32_t left = count > 0 ? integer(0, 3) : 0; left > 0; --left) {
      const auto at = bytes_.ConsumeIntegralInRange<std::size_t>(0, count - 1);
      values[at] = static_cast<float>(number(0.5));
    }
    moderate_ = moderate;
    return values;
  }

 private:
  class Random {
   public:
    explicit Random(uint32_t seed) : state_(seed * 2654435761u + 1) {}
    uint32_t next() {
      state_ ^= state_ << 13;
      state_ ^= state_ >> 17;
      return state_ ^= state_ << 5;
    }
    double between(double least, double most) {
      return least + (most - least) * (next() * 0x1p-32);
    }

   private:
    uint32_t state_;
  };

  double noted(double value) {
    const double size = value < 0 ? -value : value;
    if (size != 0 && !(size >= 1e-4 && size <= 1e4)) moderate_ = false;
    return value;
  }

  using limits = std::numeric_limits<double>;
  static constexpr double kUsual[] = {0,   -0.0, 1,   -1,   0.25, 0.5,  2,    3,
                                      0.1, 1.5,  100, 1024, 1e-3, 1e-4, -0.3, 1e4};
  static constexpr int32_t kUsualCount = sizeof kUsual / sizeof *kUsual;
  static constexpr double kExtreme[] = {limits::infinity(),
                                        -limits::infinity(),
                                        limits::quiet_NaN(),
                                        limits::max(),
                                        limits::min(),
                                        limits::denorm_min(),
                                        3.4028234e38,
                                        3.5e38,
                                        1e38,
                                        1e-38,
                                        1e-45,
                                        1e30,
                                        1e-30,
                                        1e16,
                                        -1e300};
  static constexpr int32_t kExtremeCount = sizeof kExtreme / sizeof *kExtreme;
  static constexpr double kLogits[] = {0,
                                       -0.0,
                                       1e-45,
                                       -1e-45,
                                       1e-38,
                                       16.64,
                                       -16.64,
                                       88,
                                       -88.8,
                                       100,
                                       -100,
                                       127.9,
                                       128.1,
                                       -128.1,
                                       1e4,
                                       -1e4,
                                       1e30,
                                       -1e30,
                                       745,
                                       -745,
                                       3.4028234e38,
                                       -6.9,
                                       -12,
                                       -30,
                                       limits::infinity(),
                                       -limits::infinity(),
                                       limits::quiet_NaN()};
  static constexpr uint32_t kLogitCount = sizeof kLogits / sizeof *kLogits;

  FuzzedDataProvider bytes_;
  bool moderate_ = true;
};

// What a call is to say of its arguments; numbers beyond float32 are left to the library.
enum class Verdict { kGood, kBad, kEither };

// Settings with their arrays.
struct Settings {
  explicit Settings(Input* input);
  Settings(const Settings&) = delete;

  Verdict verdict(bool moderate) const;

  efl_settings given{};
  Array<int32_t> ignored;
  Array<double> class_weight, class_alpha, class_frequencies, background_weight, class_counts,
      class_pos_weight;
};

// The arrays of a level. Those that it does not have are empty.
struct LevelArrays {
  Array<float> logits, gradient, elements, grad_output, quality, targets;
  Array<uint16_t> logits16, gradient16;
  Array<int32_t> labels;
};

// What outputs hold before a call.
constexpr float kUntouched = -77.5f;
constexpr uint16_t kUntouched16 = 0xbeef;

// A call with its levels, valid but for what was spoilt.
struct Call {
  Call(Input* input, const Settings& settings, bool collects);
  Call(const Call&) = delete;

  Verdict verdict(const efl_settings& settings, bool collects, bool moderate) const;

  efl_call given{};
  std::vector<efl_level> levels;
  std::vector<LevelArrays> arrays;

 private:
  void choose_format(Input* input);
  void add_level(Input* input, const Settings& settings, bool collects, int64_t images);
  void spoil(Input* input);

  bool spoilt_ = false;
  bool dense_ = false, gradient_ = false, in_place_ = false, elements_ = false, upstream_ = false;
};

bool has_objectness(const efl_settings& settings);
bool takes_quality(const efl_settings& settings);

}  // namespace fuzz
