/* Loads the library, works and runs a model on two threads, and closes it, a thousand times.
 * OpenMP's worker threads outlive dlclose: without `-z nodelete` this dies on the first or second
 * round. */
#include <dlfcn.h>
#include <intmill/intmill.h>
#include <stdio.h>

enum { ROUNDS = 1000, ELEMENTS = 1 << 18 };

/* ISO C has no conversion from an object to a function pointer; POSIX promises that this works. */
#define LOOK_UP(name)                          \
  __typeof__(name)* name##_ = NULL;            \
  *(void**)(&name##_) = dlsym(library, #name); \
  if (!name##_) return fprintf(stderr, #name ": not found\n"), 1

static int quantize(void* library) {
  LOOK_UP(intmill_tensor_create);
  LOOK_UP(intmill_qparams_choose);
  LOOK_UP(intmill_tensor_quantize);
  LOOK_UP(intmill_tensor_release);
  LOOK_UP(intmill_qparams_release);

  const int64_t dims = ELEMENTS;
  intmill_tensor *x = NULL, *q = NULL;
  intmill_qparams* params = NULL;
  const int failed = intmill_tensor_create_(INTMILL_F32, 1, &dims, &x) != INTMILL_OK ||
                     intmill_qparams_choose_(x, -1, NULL, &params) != INTMILL_OK ||
                     intmill_tensor_quantize_(x, params, &q) != INTMILL_OK;
  intmill_tensor_release_(q);
  intmill_tensor_release_(x);
  intmill_qparams_release_(params);
  return failed;
}

static int run_model(void* library) {
  LOOK_UP(intmill_model_load);
  LOOK_UP(intmill_session_create);
  LOOK_UP(intmill_session_run);
  LOOK_UP(intmill_tensor_create);
  LOOK_UP(intmill_tensor_release);
  LOOK_UP(intmill_session_release);
  LOOK_UP(intmill_model_release);

  const int64_t dims = 4;
  intmill_model* model = NULL;
  intmill_session* session = NULL;
  intmill_tensor *x = NULL, *y = NULL;
  const int failed = intmill_model_load_(MODEL, NULL, &model) != INTMILL_OK ||
                     intmill_session_create_(model, NULL, &session) != INTMILL_OK ||
                     intmill_tensor_create_(INTMILL_F32, 1, &dims, &x) != INTMILL_OK ||
                     intmill_session_run_(session, &x, 1, &y, 1) != INTMILL_OK;
  intmill_tensor_release_(y);
  intmill_tensor_release_(x);
  intmill_session_release_(session);
  intmill_model_release_(model);
  return failed;
}

int main(void) {
  for (int i = 0; i < ROUNDS; ++i) {
    void* library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
    if (quantize(library) != 0 || run_model(library) != 0)
      return fprintf(stderr, "round %d failed\n", i), 1;
    dlclose(library);
  }
  return 0;
}
