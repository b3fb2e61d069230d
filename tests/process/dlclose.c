/* Loads the library, works on two threads, and closes it, many times. OpenMP's worker threads
 * outlive dlclose: without `-z nodelete` this dies on the first or second round. */
#include <dlfcn.h>
#include <intmill/intmill.h>
#include <stdio.h>

enum { ROUNDS = 200, ELEMENTS = 1 << 20 };

typedef intmill_status (*tensor_create_fn)(intmill_dtype, int64_t, const int64_t*,
                                           intmill_tensor**);
typedef intmill_status (*choose_fn)(const intmill_tensor*, int32_t, const intmill_options*,
                                    intmill_qparams**);
typedef intmill_status (*quantize_fn)(const intmill_tensor*, const intmill_qparams*,
                                      intmill_tensor**);
typedef void (*tensor_release_fn)(intmill_tensor*);
typedef void (*qparams_release_fn)(intmill_qparams*);

/* ISO C has no conversion from an object to a function pointer; POSIX promises that this works. */
#define LOOK_UP(function, type, name)          \
  type function = NULL;                        \
  *(void**)(&function) = dlsym(library, name); \
  if (!function) return fprintf(stderr, "%s: not found\n", name), 1

static int round_trip(void* library) {
  LOOK_UP(tensor_create, tensor_create_fn, "intmill_tensor_create");
  LOOK_UP(choose, choose_fn, "intmill_qparams_choose");
  LOOK_UP(quantize, quantize_fn, "intmill_tensor_quantize");
  LOOK_UP(tensor_release, tensor_release_fn, "intmill_tensor_release");
  LOOK_UP(qparams_release, qparams_release_fn, "intmill_qparams_release");

  const int64_t dims = ELEMENTS;
  intmill_tensor *x = NULL, *q = NULL;
  intmill_qparams* params = NULL;
  const int failed = tensor_create(INTMILL_F32, 1, &dims, &x) != INTMILL_OK ||
                     choose(x, -1, NULL, &params) != INTMILL_OK ||
                     quantize(x, params, &q) != INTMILL_OK;
  tensor_release(q);
  tensor_release(x);
  qparams_release(params);
  return failed;
}

int main(void) {
  for (int i = 0; i < ROUNDS; ++i) {
    void* library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
    if (round_trip(library) != 0) return fprintf(stderr, "round %d failed\n", i), 1;
    dlclose(library);
  }
  return 0;
}
