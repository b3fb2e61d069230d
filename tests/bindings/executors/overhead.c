/* What a run with bound buffers costs in C: overhead MODEL RUNS. Prints {"ns": nanoseconds a run,
 * "grown": bytes of memory that all the runs added}. */
#define _POSIX_C_SOURCE 200809L
#include <intmill/intmill.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TRY(call)                                               \
  do {                                                          \
    if ((call) != INTMILL_OK) {                                 \
      fprintf(stderr, "%s: %s\n", #call, intmill_last_error()); \
      return 2;                                                 \
    }                                                           \
  } while (0)

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static long resident(void) {
  long pages = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%*s %ld", &pages) != 1) pages = 0;
  if (file) fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

int main(int argc, char** argv) {
  const int64_t dims[1] = {1};
  const long runs = argc == 3 ? atol(argv[2]) : 0;
  intmill_options* opts;
  intmill_model* model;
  intmill_session* session;
  intmill_binding* binding;
  intmill_tensor* x;
  if (runs < 1) return 2;
  TRY(intmill_options_from_json("{\"threads\": 1}", &opts));
  TRY(intmill_model_load(argv[1], opts, &model));
  TRY(intmill_session_create(model, opts, &session));
  TRY(intmill_binding_create(session, &binding));
  TRY(intmill_tensor_create(INTMILL_F32, 1, dims, &x));
  TRY(intmill_binding_set(binding, INTMILL_INPUT, 0, x));
  for (long i = 0; i < runs / 10; ++i) TRY(intmill_binding_run(binding));
  const long before = resident();
  const double start = now();
  for (long i = 0; i < runs; ++i) TRY(intmill_binding_run(binding));
  printf("{\"ns\": %.1f, \"grown\": %ld}\n", (now() - start) / (double)runs, resident() - before);
  intmill_tensor_release(x);
  intmill_binding_release(binding);
  intmill_session_release(session);
  intmill_model_release(model);
  intmill_options_release(opts);
  return 0;
}
