/* What a run with bound buffers costs in C, and that nothing leaks: overhead MODEL RUNS [CYCLES]. A
 * cycle makes and releases every object that a run needs. Prints {"ns": nanoseconds a run, "grown":
 * bytes that memory grew}. Exit status 1 when that is 2 MB or more, or a descriptor stayed open. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <intmill/intmill.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ROUND = 1000, MOST_ROUNDS = 100000 };

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

static int open_files(void) {
  int count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (folder && readdir(folder)) ++count;
  if (folder) closedir(folder);
  return count;
}

typedef struct objects {
  intmill_model* model;
  intmill_session* session;
  intmill_binding* binding;
  intmill_tensor* x;
} objects;

static int create(const char* path, const intmill_options* opts, objects* made) {
  intmill_port port = INTMILL_PORT_INIT;
  TRY(intmill_model_load(path, opts, &made->model));
  TRY(intmill_session_create(made->model, opts, &made->session));
  TRY(intmill_binding_create(made->session, &made->binding));
  TRY(intmill_model_port(made->model, INTMILL_INPUT, 0, &port));
  TRY(intmill_tensor_create(port.dtype, port.rank, port.dims, &made->x));
  TRY(intmill_binding_set(made->binding, INTMILL_INPUT, 0, made->x));
  TRY(intmill_binding_run(made->binding));
  return 0;
}

static void release(objects* made) {
  intmill_tensor_release(made->x);
  intmill_binding_release(made->binding);
  intmill_session_release(made->session);
  intmill_model_release(made->model);
}

static int cycle(const char* path, const intmill_options* opts, long cycles) {
  for (long i = 0; i < cycles; ++i) {
    objects made = {NULL, NULL, NULL, NULL};
    const int failed = create(path, opts, &made);
    release(&made);
    if (failed) return failed;
  }
  return 0;
}

static int by_size(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

/* Runs `rounds` times a thousand times; the median of a run, in nanoseconds. */
static double measure(intmill_binding* binding, long rounds) {
  static double each[MOST_ROUNDS];
  for (long round = 0; round < rounds; ++round) {
    const double start = now();
    for (int i = 0; i < ROUND; ++i)
      if (intmill_binding_run(binding) != INTMILL_OK) return -1;
    each[round] = (now() - start) / ROUND;
  }
  qsort(each, (size_t)rounds, sizeof each[0], by_size);
  return each[rounds / 2];
}

int main(int argc, char** argv) {
  const long rounds = argc > 2 ? atol(argv[2]) / ROUND : 0;
  const long cycles = argc > 3 ? atol(argv[3]) : 0;
  intmill_options* opts;
  objects made = {NULL, NULL, NULL, NULL};
  if (rounds < 10 || rounds > MOST_ROUNDS || cycles < 0) return 2;
  TRY(intmill_options_from_json("{\"threads\": 1}", &opts));
  if (create(argv[1], opts, &made) || cycle(argv[1], opts, cycles / 10)) return 2;
  measure(made.binding, rounds / 10);
  const int files = open_files();
  const long before = resident();
  const double spent = measure(made.binding, rounds);
  if (spent < 0 || cycle(argv[1], opts, cycles)) return 2;
  const long grown = resident() - before;
  printf("{\"ns\": %.1f, \"grown\": %ld}\n", spent, grown);
  release(&made);
  intmill_options_release(opts);
  return grown >= 2000000 || open_files() != files;
}
