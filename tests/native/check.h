/* Counting checks, for C99 and C++: every driver ends with report_checks(), whose exit status says what happened. */
#ifndef FFC_TESTS_CHECK_H
#define FFC_TESTS_CHECK_H

#include <stdio.h>
#include <string.h>

#include "../../cuda/include/flashfftconv.h"

/* Plain long would be a race in drivers with threads; GNU atomics exist in C99 and C++ alike. */
static long checks_passed, checks_failed;

static inline int check_that(int condition, const char* text, const char* file, int line) {
  if (condition) {
    __atomic_add_fetch(&checks_passed, 1, __ATOMIC_RELAXED);
  } else {
    __atomic_add_fetch(&checks_failed, 1, __ATOMIC_RELAXED);
    fprintf(stderr, "FAILED %s:%d: %s\n", file, line, text);
  }
  return condition;
}
#define CHECK(condition) check_that((condition) != 0, #condition, __FILE__, __LINE__)

/* The call must return `wanted`, and its error text must contain `words` (pass "" for any, NULL for no text). */
static inline int check_status(ffc_status got, ffc_status wanted, const ffc_error* error, const char* words,
                               const char* text, const char* file, int line) {
  int good = got == wanted;
  if (good && wanted != FFC_OK && words)
    good = error->status == wanted && error->message[0] != 0 && strstr(error->message, words) != NULL;
  if (!good)
    fprintf(stderr, "  status %d, wanted %d with \"%s\"; text: %s\n", (int)got, (int)wanted, words ? words : "",
            got != FFC_OK && error ? error->message : "-");
  return check_that(good, text, file, line);
}
/* `call` must use a variable `error` for its last argument. */
#define CHECK_STATUS(wanted, words, call) check_status((call), (wanted), &error, (words), #call, __FILE__, __LINE__)
#define CHECK_OK(call) check_status((call), FFC_OK, &error, "", #call, __FILE__, __LINE__)

static inline ffc_error make_error(void) {
  ffc_error error;
  memset(&error, 0, sizeof error);
  error.struct_size = sizeof error;
  return error;
}

/* A small generator of our own: the same numbers on every machine. Uniform in [-1, 1). */
static inline double next_random(unsigned long long* state) {
  *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
  return (double)(*state >> 11) / 4503599627370496.0 - 1.0;
}

static inline int report_checks(const char* name) {
  printf("%s: %ld checks passed, %ld failed\n", name, checks_passed, checks_failed);
  return checks_failed == 0 && checks_passed > 0 ? 0 : 1;
}

#endif
