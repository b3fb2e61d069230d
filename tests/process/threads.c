/* Many threads run one session at once, in float and in 8 bits, while others open and close
 * sessions of the same model. Every answer equals that of a single caller, bit for bit. */
#include <pthread.h>

#include "model.h"

enum { CALLERS = 8, OPENERS = 2, RUNS = 100, OPENINGS = 10, THREADS = 2 };

typedef struct job {
  const intmill_model* model;
  const intmill_session* session;
  const scores* wanted;
} job;

static void* call(void* argument) {
  const job* j = argument;
  intmill_tensor* x = make_batch();
  for (int i = 0; i < RUNS; ++i) {
    const scores mine = run_once(j->session, x);
    CHECK(same_scores(&mine, j->wanted));
  }
  intmill_tensor_release(x);
  return NULL;
}

static void* open_and_close(void* argument) {
  const job* j = argument;
  intmill_tensor* x = make_batch();
  for (int i = 0; i < OPENINGS; ++i) {
    intmill_session* session = open_session(j->model, THREADS);
    const scores mine = run_once(session, x);
    CHECK(same_scores(&mine, j->wanted));
    intmill_session_release(session);
  }
  intmill_tensor_release(x);
  return NULL;
}

static void stress(const intmill_model* model) {
  intmill_session* session = open_session(model, THREADS);
  intmill_tensor* x = make_batch();
  const scores wanted = run_once(session, x);
  job j = {model, session, &wanted};
  pthread_t threads[CALLERS + OPENERS];
  for (int t = 0; t < CALLERS + OPENERS; ++t)
    CHECK(pthread_create(&threads[t], NULL, t < CALLERS ? call : open_and_close, &j) == 0);
  for (int t = 0; t < CALLERS + OPENERS; ++t) CHECK(pthread_join(threads[t], NULL) == 0);
  intmill_tensor_release(x);
  intmill_session_release(session);
}

int main(void) {
  intmill_model* model = load_float_model();
  intmill_model* quantized = quantize_model(model);
  stress(model);
  stress(quantized);
  intmill_model_release(quantized);
  intmill_model_release(model);
  return 0;
}
