/* Serving: many threads run one session. Each has its own binding, so that a request allocates
 * nothing. Arguments: the data folder. */
#include <pthread.h>
#include <string.h>

#include "sample.h"

enum { THREADS = 4, REQUESTS = 500, CLASSES = 10 };

typedef struct worker {
  const intmill_session* session;
  const unsigned char* images;
  float scores[REQUESTS][CLASSES];
  int failed;
} worker;

/* Answers REQUESTS requests of one image each, on the calling thread. */
static void* serve(void* argument) {
  worker* w = argument;
  intmill_binding* binding = NULL;
  intmill_tensor *x = NULL, *y = NULL;
  w->failed = 1;
  TRY(image_batch(w->images, 0, 1, 1, &x));
  TRY(intmill_binding_create(w->session, &binding));
  TRY(intmill_binding_set(binding, INTMILL_INPUT, 0, x));
  for (int64_t i = 0; i < REQUESTS; ++i) {
    float* pixels = intmill_tensor_data(x);
    for (int p = 0; p < PIXELS; ++p) pixels[p] = (float)w->images[i * PIXELS + p] / 255.0f;
    TRY(intmill_binding_run(binding));
    if (!y) TRY(intmill_binding_get(binding, INTMILL_OUTPUT, 0, &y));
    memcpy(w->scores[i], intmill_tensor_data(y), sizeof w->scores[i]);
  }
  w->failed = 0;

done:
  intmill_tensor_release(y);
  intmill_tensor_release(x);
  intmill_binding_release(binding);
  return NULL;
}

int main(int argc, char** argv) {
  const char* folder = argc > 1 ? argv[1] : "samples/data";
  static worker workers[THREADS + 1]; /* the last one runs alone, to compare with */
  char path[1024];
  int64_t count = 0;
  unsigned char* images = NULL;
  intmill_options* opts = NULL;
  intmill_model* model = NULL;
  intmill_session* session = NULL;
  pthread_t threads[THREADS];
  int started = 0, differing = 0, exit_status = 1;

  images = read_idx(folder, "t10k-images-idx3-ubyte.gz", PIXELS, &count);
  if (!images || count < REQUESTS) goto done;
  TRY(intmill_model_load(join(path, sizeof path, folder, "fashion_cnn.onnx"), NULL, &model));
  TRY(intmill_options_create(&opts));
  TRY(intmill_options_set_i64(opts, NULL, INTMILL_OPT_THREADS, 1)); /* the server has threads */
  TRY(intmill_session_create(model, opts, &session));

  for (int t = 0; t <= THREADS; ++t) {
    workers[t].session = session;
    workers[t].images = images;
  }
  while (started < THREADS &&
         pthread_create(&threads[started], NULL, serve, &workers[started]) == 0)
    ++started;
  for (int t = 0; t < started; ++t) pthread_join(threads[t], NULL);
  serve(&workers[THREADS]);

  for (int t = 0; t < started; ++t)
    differing += workers[t].failed ||
                 memcmp(workers[t].scores, workers[THREADS].scores, sizeof workers[t].scores) != 0;
  printf("%d threads answered %d requests each; %d threads differ from a single one\n", started,
         (int)REQUESTS, differing);
  exit_status = started == THREADS && differing == 0 && !workers[THREADS].failed ? 0 : 1;

done:
  intmill_session_release(session);
  intmill_model_release(model);
  intmill_options_release(opts);
  free(images);
  return exit_status;
}
