#include "errors.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <iterator>

namespace efl::c {
namespace {

// Of a fixed size: saying what went wrong must not itself need memory.
thread_local char text[512] = "";

// A text of at most so many characters, of which what does not fit is left out.
class Line {
 public:
  void add(const char* format, ...) __attribute__((format(printf, 2, 3))) {
    va_list arguments;
    va_start(arguments, format);
    const int added = std::vsnprintf(text_ + length_, sizeof text_ - length_, format, arguments);
    va_end(arguments);
    length_ += static_cast<std::size_t>(added < 0 ? 0 : added);
    if (length_ >= sizeof text_) length_ = sizeof text_ - 1;
  }
  const char* get() const { return text_; }

 private:
  char text_[256] = "";
  std::size_t length_ = 0;
};

// In C a field has the name that core knows it by; these are no fields.
struct Word {
  const char* in_core;
  const char* in_c;
};
constexpr Word kWords[] = {{"{positives}", "EFL_NORMALIZER_POSITIVES"},
                           {"{weights}", "EFL_NORMALIZER_WEIGHTS"},
                           {"{or_each}", ""}};

void add_expected(const char* expected, Line* line) {
  for (const char* at = expected; *at; ++at) {
    const auto word = std::find_if(std::begin(kWords), std::end(kWords), [at](const Word& word) {
      return std::strncmp(at, word.in_core, std::strlen(word.in_core)) == 0;
    });
    if (word != std::end(kWords)) {
      line->add("%s", word->in_c);
      at += std::strlen(word->in_core) - 1;
    } else if (*at != '{' && *at != '}') {
      line->add("%c", *at);
    }
  }
}

}  // namespace

const char* error_text() { return text; }

efl_status fail(efl_status status, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  (void)std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return status;
}

void reject(const char* argument, const char* expected) {
  throw Failure{fail(EFL_BAD_ARGUMENT, "%s: expected %s", argument, expected)};
}

efl_status refuse(const char* of, const ArgumentError& error) {
  Line line;
  line.add("%s.", of);
  if (error.level >= 0) line.add("levels[%d].", error.level);
  line.add("%s", error.argument);
  if (error.index >= 0) line.add("[%lld]", static_cast<long long>(error.index));
  line.add(": expected ");
  add_expected(error.expected, &line);
  if (error.is_number) line.add(", received %.17g", error.received);
  return fail(EFL_BAD_ARGUMENT, "%s", line.get());
}

}  // namespace efl::c
