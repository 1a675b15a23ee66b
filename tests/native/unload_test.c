/* unload_test LIBRARY: unloads the library while its threads work, as a program does that closes it in a hurry. */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <time.h>

#include "check.h"

static ffc_error error;

/* ISO C has no cast from dlsym's pointer to a function's; POSIX promises that they have the same bytes. */
static int find(void* library, const char* name, void* function) {
  void* found = dlsym(library, name);
  memcpy(function, &found, sizeof found);
  return CHECK(found != NULL);
}

int main(int count, char** arguments) {
  ffc_status (*context_create)(const ffc_context_desc*, ffc_context*, ffc_error*);
  ffc_status (*buffer_create)(ffc_context, int64_t, ffc_buffer*, ffc_error*);
  ffc_status (*buffer_fill)(ffc_buffer, int64_t, int64_t, int32_t, ffc_stream, ffc_error*);
  ffc_status (*context_destroy)(ffc_context, ffc_error*);
  ffc_status (*buffer_destroy)(ffc_buffer, ffc_error*);
  const struct timespec pause = {0, 100000000};
  ffc_context_desc desc;
  ffc_context context = 0;
  ffc_buffer buffer = 0;
  void* library;
  int i;

  error = make_error();
  if (!CHECK(count == 2)) return report_checks("unload_test");
  library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (!CHECK(library != NULL)) return report_checks("unload_test");
  if (!find(library, "ffc_context_create", &context_create) || !find(library, "ffc_buffer_create", &buffer_create) ||
      !find(library, "ffc_buffer_fill", &buffer_fill) || !find(library, "ffc_context_destroy", &context_destroy) ||
      !find(library, "ffc_buffer_destroy", &buffer_destroy))
    return report_checks("unload_test");
  memset(&desc, 0, sizeof desc);
  desc.struct_size = sizeof desc;
  desc.device_type = FFC_DEVICE_CPU;
  CHECK_OK(context_create(&desc, &context, &error));
  CHECK_OK(buffer_create(context, 1 << 24, &buffer, &error));
  for (i = 0; i < 20; ++i) CHECK_OK(buffer_fill(buffer, 0, 1 << 24, i, 0, &error)); /* some 20 ms of work */
  CHECK_OK(buffer_destroy(buffer, &error));
  CHECK_OK(context_destroy(context, &error));
  CHECK(dlclose(library) == 0);
  nanosleep(&pause, NULL); /* the work ends in code that must still be there, or this process crashes */
  return report_checks("unload_test");
}
