/* Serving: many threads run one session. Each has its own binding, so that a request allocates
 * nothing. Arguments: the data folder. */
#include <pthread.h>
#include <string.h>

#include "sample.h"

enum { THREADS = 4, REQUESTS = 500 };

static intmill_session* session;
static fashion data;
static float scores[THREADS + 1][REQUESTS][10]; /* the last are of one thread alone */

/* Answers REQUESTS requests of one image each, on the calling thread. */
static void* serve(void* mine) {
  float(*answers)[10] = mine;
  intmill_binding* binding = NULL;
  intmill_tensor *x = NULL, *y = NULL;
  TRY(image_batch(data.images, 0, 1, 1, &x));
  TRY(intmill_binding_create(session, &binding));
  TRY(intmill_binding_set(binding, INTMILL_INPUT, 0, x));
  for (int i = 0; i < REQUESTS; ++i) {
    set_image(intmill_tensor_data(x), data.images + i * PIXELS);
    TRY(intmill_binding_run(binding));
    if (!y) TRY(intmill_binding_get(binding, INTMILL_OUTPUT, 0, &y));
    memcpy(answers[i], intmill_tensor_data(y), sizeof answers[i]);
  }
done:
  intmill_tensor_release(y);
  intmill_tensor_release(x);
  intmill_binding_release(binding);
  return NULL;
}

int main(int argc, char** argv) {
  const char* folder = argc > 1 ? argv[1] : "samples/data";
  char path[1024];
  intmill_options* opts = NULL;
  intmill_model* model = NULL;
  pthread_t threads[THREADS];
  int started = 0, same = 0;
  if (!read_fashion(folder, &data)) goto done;
  TRY(intmill_model_load(join(path, sizeof path, folder, "fashion_cnn.onnx"), NULL, &model));
  TRY(intmill_options_from_json("{\"threads\": 1}", &opts)); /* the server has threads */
  TRY(intmill_session_create(model, opts, &session));
  while (started < THREADS && !pthread_create(&threads[started], NULL, serve, scores[started]))
    ++started;
  serve(scores[THREADS]);
  for (int t = 0; t < started; ++t) pthread_join(threads[t], NULL);
  for (int t = 0; t < started; ++t) same += !memcmp(scores[t], scores[THREADS], sizeof scores[t]);
  printf("%d of %d threads gave the same %d answers as one alone\n", same, THREADS, REQUESTS);
done:
  intmill_session_release(session);
  intmill_model_release(model);
  intmill_options_release(opts);
  free_fashion(&data);
  /* zeros: nothing was answered */
  return same == THREADS && scores[0][0][best_class(scores[0][0])] != 0.0f ? 0 : 1;
}
