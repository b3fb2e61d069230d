/* What a bound run costs in C: what the bindings' soaks are compared with. Arguments: a model of one
 * input of four floats, the number of runs. */
#include <intmill/intmill.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MUST(call)                                              \
  do {                                                          \
    if ((call) != INTMILL_OK) {                                 \
      fprintf(stderr, "%s: %s\n", #call, intmill_last_error()); \
      return 1;                                                 \
    }                                                           \
  } while (0)

static double now(void) {
  struct timespec t;
  timespec_get(&t, TIME_UTC);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char** argv) {
  const int64_t four = 4;
  const long runs = argc > 2 ? atol(argv[2]) : 1000000;
  intmill_options* opts = NULL;
  intmill_model* model = NULL;
  intmill_session* session = NULL;
  intmill_binding* binding = NULL;
  intmill_tensor* x = NULL;
  if (argc < 2) return 2;
  MUST(intmill_options_from_json("{\"threads\": 1}", &opts));
  MUST(intmill_model_load(argv[1], opts, &model));
  MUST(intmill_session_create(model, opts, &session));
  MUST(intmill_binding_create(session, &binding));
  MUST(intmill_tensor_create(INTMILL_F32, 1, &four, &x));
  MUST(intmill_binding_set(binding, INTMILL_INPUT, 0, x));
  double started = 0;
  for (int round = 0; round < 2; ++round) { /* the first warms up */
    started = now();
    for (long i = 0; i < runs; ++i) MUST(intmill_binding_run(binding));
  }
  printf("c: %.0f ns a bound run\n", (now() - started) / (double)runs);
  intmill_tensor_release(x);
  intmill_binding_release(binding);
  intmill_session_release(session);
  intmill_model_release(model);
  intmill_options_release(opts);
  return 0;
}
