/* What the process tests share: the sample model, its 8-bit form, and one deterministic batch. */
#ifndef INTMILL_TESTS_PROCESS_MODEL_H
#define INTMILL_TESTS_PROCESS_MODEL_H

#include <intmill/intmill.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 8, CLASSES = 10, PIXELS = 28 * 28 };

typedef struct scores {
  float value[BATCH * CLASSES];
} scores;

#define MUST(call)                                                                 \
  do {                                                                             \
    if ((call) != INTMILL_OK) {                                                    \
      fprintf(stderr, "line %d: %s: %s\n", __LINE__, #call, intmill_last_error()); \
      exit(1);                                                                     \
    }                                                                              \
  } while (0)

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition); \
      exit(1);                                                        \
    }                                                                 \
  } while (0)

/* Images that are not all alike: slanted waves of a different length each. */
static inline intmill_tensor* make_batch(void) {
  const int64_t dims[4] = {BATCH, 1, 28, 28};
  intmill_tensor* x = NULL;
  MUST(intmill_tensor_create(INTMILL_F32, 4, dims, &x));
  float* pixels = intmill_tensor_data(x);
  for (int i = 0; i < BATCH * PIXELS; ++i) {
    const int image = i / PIXELS, row = i % PIXELS / 28, column = i % 28;
    pixels[i] = (float)((row * (image + 1) + column * 3) % 29) / 28.0f;
  }
  return x;
}

static inline intmill_model* load_float_model(void) {
  const char* repository = getenv("INTMILL_REPOSITORY");
  char path[4096];
  intmill_model* model = NULL;
  CHECK(repository != NULL);
  snprintf(path, sizeof path, "%s/samples/data/fashion_cnn.onnx", repository);
  MUST(intmill_model_load(path, NULL, &model));
  return model;
}

static inline intmill_model* quantize_model(const intmill_model* model) {
  intmill_tensor* x = make_batch();
  intmill_probe* probe = NULL;
  intmill_model* quantized = NULL;
  MUST(intmill_probe_calibrate(model, NULL, &probe));
  MUST(intmill_probe_feed(probe, &x, 1, NULL, 0));
  MUST(intmill_quantize(model, probe, NULL, &quantized));
  intmill_probe_release(probe);
  intmill_tensor_release(x);
  return quantized;
}

static inline intmill_session* open_session(const intmill_model* model, int64_t threads) {
  intmill_options* opts = NULL;
  intmill_session* session = NULL;
  MUST(intmill_options_create(&opts));
  MUST(intmill_options_set_i64(opts, NULL, INTMILL_OPT_THREADS, threads));
  MUST(intmill_session_create(model, opts, &session));
  intmill_options_release(opts);
  return session;
}

static inline scores run_once(const intmill_session* session, intmill_tensor* x) {
  scores result;
  intmill_tensor* y = NULL;
  MUST(intmill_session_run(session, &x, 1, &y, 1));
  CHECK(intmill_tensor_bytes(y) == (int64_t)sizeof result.value);
  memcpy(result.value, intmill_tensor_data(y), sizeof result.value);
  intmill_tensor_release(y);
  return result;
}

static inline int same_scores(const scores* a, const scores* b) {
  return memcmp(a, b, sizeof *a) == 0;
}

#endif /* INTMILL_TESTS_PROCESS_MODEL_H */
