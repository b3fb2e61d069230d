/* From the second run of a binding on, neither intmill nor OpenMP allocates. oneDNN does within
 * each call of a kernel, a few dozen bytes that only it could save; those are told apart by their
 * call stack. This program's malloc stands in front of the C library's and counts. */
#define _GNU_SOURCE
#include <execinfo.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>

#include "process/model.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

int main(void) {
  printf("skipped: sanitizers bring their own malloc\n");
  return 77;
}

#else

void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t n, size_t bytes);
void* __libc_realloc(void* old, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

#define SEEN_BY_LIBRARIES __attribute__((visibility("default")))

static atomic_long calls; /* by anyone but oneDNN */
static atomic_long onednn_calls;
static atomic_int watching;
static uintptr_t onednn_begin, onednn_end;

static int note_onednn(struct dl_phdr_info* library, size_t size, void* unused) {
  (void)size;
  (void)unused;
  if (strstr(library->dlpi_name, "libdnnl") == NULL) return 0;
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const uintptr_t end =
        library->dlpi_addr + library->dlpi_phdr[i].p_vaddr + library->dlpi_phdr[i].p_memsz;
    if (end > onednn_end) onednn_end = end;
  }
  onednn_begin = library->dlpi_addr;
  return 1;
}

static int called_by_onednn(void) {
  void* frames[24];
  const int n = backtrace(frames, 24);
  for (int i = 0; i < n; ++i)
    if ((uintptr_t)frames[i] >= onednn_begin && (uintptr_t)frames[i] < onednn_end) return 1;
  return 0;
}

static void count(void) {
  static _Thread_local int inside; /* backtrace itself may allocate */
  if (inside) return;
  inside = 1;
  if (watching && called_by_onednn())
    ++onednn_calls;
  else
    ++calls;
  inside = 0;
}

SEEN_BY_LIBRARIES void* malloc(size_t bytes) {
  count();
  return __libc_malloc(bytes);
}

SEEN_BY_LIBRARIES void* calloc(size_t n, size_t bytes) {
  count();
  return __libc_calloc(n, bytes);
}

SEEN_BY_LIBRARIES void* realloc(void* old, size_t bytes) {
  count();
  return __libc_realloc(old, bytes);
}

SEEN_BY_LIBRARIES void* aligned_alloc(size_t alignment, size_t bytes) {
  count();
  return __libc_memalign(alignment, bytes);
}

SEEN_BY_LIBRARIES int posix_memalign(void** out, size_t alignment, size_t bytes) {
  count();
  *out = __libc_memalign(alignment, bytes);
  return *out == NULL ? 12 : 0;
}

enum { RUNS = 20 };

static void expect_no_allocation(const intmill_model* model, int64_t threads) {
  intmill_session* session = open_session(model, threads);
  intmill_tensor* x = make_batch();
  intmill_binding* binding = NULL;
  MUST(intmill_binding_create(session, &binding));
  MUST(intmill_binding_set(binding, INTMILL_INPUT, 0, x));
  MUST(intmill_binding_run(binding));
  watching = 1;
  MUST(intmill_binding_run(binding));
  const long before = calls, onednn_before = onednn_calls;
  for (int i = 0; i < RUNS; ++i) MUST(intmill_binding_run(binding));
  watching = 0;
  const long ours = calls - before, theirs = onednn_calls - onednn_before;
  printf("%d threads: %ld allocations, and %ld by oneDNN, a run\n", (int)threads, ours / RUNS,
         theirs / RUNS);
  CHECK(ours == 0);
  CHECK(theirs % RUNS == 0); /* nor does anything pile up */
  intmill_binding_release(binding);
  intmill_tensor_release(x);
  intmill_session_release(session);
}

int main(void) {
  dl_iterate_phdr(note_onednn, NULL);
  CHECK(onednn_end > onednn_begin);
  called_by_onednn(); /* the first backtrace loads a library */
  const long at_start = calls;
  intmill_model* model = load_float_model();
  CHECK(calls > at_start); /* the counter counts */
  intmill_model* quantized = quantize_model(model);
  for (int64_t threads = 1; threads <= 2; ++threads) {
    expect_no_allocation(model, threads);
    expect_no_allocation(quantized, threads);
  }
  intmill_model_release(quantized);
  intmill_model_release(model);
  return 0;
}

#endif
