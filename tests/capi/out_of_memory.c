/* Memory runs out at every allocation in turn, once and for good: each call answers OUT_OF_MEMORY,
 * gives back what it had taken, and works the next time. This program's malloc stands in front of
 * the C library's and fails on demand. Calls that build kernels are left out: oneDNN does not
 * survive a failing malloc there. */
#include <errno.h>
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
void __libc_free(void* data);

#define SEEN_BY_LIBRARIES __attribute__((visibility("default")))

static atomic_long countdown = -1; /* this many allocations succeed; below 0: all do */
static atomic_int sticky;          /* and then none any more, instead of all but one */
static atomic_long failures, alive;

static int fails(void) {
  if (countdown < 0) return 0;
  if (countdown > 0) {
    --countdown;
    return 0;
  }
  if (!sticky) countdown = -1;
  ++failures;
  errno = ENOMEM;
  return 1;
}

static void* note(void* data) {
  if (data != NULL) ++alive;
  return data;
}

SEEN_BY_LIBRARIES void* malloc(size_t bytes) { return fails() ? NULL : note(__libc_malloc(bytes)); }

SEEN_BY_LIBRARIES void* calloc(size_t n, size_t bytes) {
  return fails() ? NULL : note(__libc_calloc(n, bytes));
}

SEEN_BY_LIBRARIES void* realloc(void* old, size_t bytes) {
  if (fails()) return NULL;
  void* data = __libc_realloc(old, bytes);
  return old == NULL ? note(data) : data;
}

SEEN_BY_LIBRARIES void* aligned_alloc(size_t alignment, size_t bytes) {
  return fails() ? NULL : note(__libc_memalign(alignment, bytes));
}

/* What C++ libraries take aligned memory from, where there is it. */
SEEN_BY_LIBRARIES int posix_memalign(void** data, size_t alignment, size_t bytes) {
  if (fails()) return ENOMEM;
  *data = note(__libc_memalign(alignment, bytes));
  return *data == NULL ? ENOMEM : 0;
}

SEEN_BY_LIBRARIES void free(void* data) {
  if (data != NULL) --alive;
  __libc_free(data);
}

/* Each scenario goes on to its end whatever fails, and gives back what it got. */
static intmill_status worst(intmill_status a, intmill_status b) { return a == INTMILL_OK ? b : a; }

static intmill_status options(void) {
  intmill_options* opts = NULL;
  intmill_report* known = NULL;
  intmill_status s = intmill_options_from_json(
      "{\"calibration\": \"entropy\", \"layers\": {\"a layer with a long name\": {\"skip\": 1}}}",
      &opts);
  if (s == INTMILL_OK)
    s = intmill_options_set_str(opts, NULL, INTMILL_OPT_DYNAMIC_DIMS, "a_long_dimension=8");
  if (s == INTMILL_OK) (void)intmill_options_json(opts);
  s = worst(s, intmill_options_known(&known));
  intmill_report_release(known);
  intmill_options_release(opts);
  return s;
}

static intmill_status tensors(void) {
  static float data[64];
  const int64_t dims[2] = {8, 8};
  intmill_tensor *x = NULL, *y = NULL, *z = NULL, *fake = NULL;
  intmill_qparams* q = NULL;
  intmill_difference difference = INTMILL_DIFFERENCE_INIT;
  data[3] = 2;
  intmill_status s = intmill_tensor_wrap(INTMILL_F32, 2, dims, data, sizeof data, NULL, NULL, &x);
  if (s == INTMILL_OK) s = intmill_qparams_choose(x, 0, NULL, &q);
  if (s == INTMILL_OK) s = intmill_tensor_quantize(x, q, &y);
  if (s == INTMILL_OK) s = intmill_tensor_fake_quantize(x, q, &fake);
  if (s == INTMILL_OK) s = intmill_tensor_dequantize(y, &z);
  if (s == INTMILL_OK) s = intmill_tensor_compare(x, z, &difference);
  intmill_tensor_release(fake);
  intmill_tensor_release(z);
  intmill_tensor_release(y);
  intmill_qparams_release(q);
  intmill_tensor_release(x);
  return s;
}

static const char* model_path;

static intmill_status load_and_save(void) {
  intmill_model *model = NULL, *noted = NULL, *again = NULL;
  intmill_report* layers = NULL;
  intmill_tensor* file = NULL;
  intmill_status s = intmill_model_load(model_path, NULL, &model);
  if (s == INTMILL_OK) s = intmill_model_annotate(model, "key.of.a.note", "a value", &noted);
  if (s == INTMILL_OK) s = intmill_model_report(noted, INTMILL_REPORT_LAYERS, &layers);
  if (s == INTMILL_OK) s = intmill_model_save_memory(noted, NULL, &file);
  if (s == INTMILL_OK)
    s = intmill_model_load_memory(intmill_tensor_data(file), intmill_tensor_bytes(file), NULL, NULL,
                                  NULL, &again);
  intmill_model_release(again);
  intmill_tensor_release(file);
  intmill_report_release(layers);
  intmill_model_release(noted);
  intmill_model_release(model);
  return s;
}

static intmill_model* float_model;

static intmill_status quantize(void) {
  intmill_options* opts = NULL;
  intmill_model* quantized = NULL;
  intmill_status s = intmill_options_from_json("{\"scheme\": \"dynamic\"}", &opts);
  if (s == INTMILL_OK) s = intmill_quantize(float_model, NULL, opts, &quantized);
  intmill_model_release(quantized);
  intmill_options_release(opts);
  return s;
}

/* One more allocation succeeds each time, then larger steps: early ones differ most. */
static void fail_everywhere(const char* name, intmill_status (*scenario)(void), int for_good) {
  long points = 0;
  MUST(scenario());
  const long before = alive;
  for (long n = 0;; n += 1 + n / 64) {
    failures = 0;
    sticky = for_good;
    countdown = n;
    const intmill_status status = scenario();
    countdown = -1;
    if (failures == 0) break;
    ++points;
    /* Where there is no other way, a failed allocation may go unnoticed: a cache stays cold. */
    if (status != INTMILL_ERROR_OUT_OF_MEMORY && status != INTMILL_OK) {
      fprintf(stderr, "%s, allocation %ld: %s: %s\n", name, n, intmill_status_name(status),
              intmill_last_error());
      exit(1);
    }
    if (alive != before) {
      fprintf(stderr, "%s, allocation %ld: %ld blocks are lost\n", name, n, alive - before);
      exit(1);
    }
  }
  MUST(scenario());
  CHECK(points > 5);
  printf("%s: %ld points %s\n", name, points, for_good ? "for good" : "once");
}

int main(void) {
  static char path[4096];
  snprintf(path, sizeof path, "%s/samples/data/fashion_cnn.onnx", getenv("INTMILL_REPOSITORY"));
  model_path = path;
  float_model = load_float_model();
  intmill_model* missing = NULL;
  /* The last error's text is kept: let there be one before blocks are counted. */
  CHECK(intmill_model_load("/there/is/no/such/model.onnx", NULL, &missing) == INTMILL_ERROR_IO);
  for (int for_good = 0; for_good <= 1; ++for_good) {
    fail_everywhere("options", options, for_good);
    fail_everywhere("tensors", tensors, for_good);
    fail_everywhere("load and save", load_and_save, for_good);
    fail_everywhere("quantize", quantize, for_good);
  }
  intmill_model_release(float_model);
  return 0;
}

#endif
