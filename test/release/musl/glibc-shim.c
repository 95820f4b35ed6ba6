/*
 * What the C++ library of a system with glibc wants of it and musl does not have. Bun for musl needs a
 * C++ library, and Debian has none for musl: with this the one for glibc loads there. The binaries
 * under test need neither.
 */
#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <time.h>

uint32_t arc4random(void) {
  uint32_t value = 0;
  (void)getrandom(&value, sizeof value, 0);
  return value;
}

size_t __strftime_l(char* text, size_t size, const char* format, const struct tm* time,
                    locale_t locale) {
  return strftime_l(text, size, format, time, locale);
}

unsigned long __getauxval(unsigned long type) { return getauxval(type); }

/* Destructors of thread-local objects are not run: nothing here has any that matter. */
int __cxa_thread_atexit_impl(void (*destructor)(void*), void* object, void* library) {
  (void)destructor;
  (void)object;
  (void)library;
  return 0;
}

char __libc_single_threaded = 0;

/* Not found: the unwinder then asks dl_iterate_phdr. */
int _dl_find_object(void* address, void* result) {
  (void)address;
  (void)result;
  return -1;
}

/* Of libgcc: nothing that Bun calls asks for the features of the processor there. */
int __cpu_indicator_init(void) { return 0; }
struct {
  unsigned vendor, type, subtype, features;
} __cpu_model;
