/* What the samples share: the check after each call, and Fashion-MNIST's files as tensors. */
#ifndef INTMILL_SAMPLES_SAMPLE_H
#define INTMILL_SAMPLES_SAMPLE_H

#include <intmill/intmill.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

/* Goes to `done` when a call fails; every release function takes NULL, so one exit serves all. */
#define TRY(call)                                               \
  do {                                                          \
    if ((call) != INTMILL_OK) {                                 \
      fprintf(stderr, "%s: %s\n", #call, intmill_last_error()); \
      goto done;                                                \
    }                                                           \
  } while (0)

enum { PIXELS = 28 * 28 };

static inline const char* join(char* buffer, size_t size, const char* folder, const char* name) {
  snprintf(buffer, size, "%s/%s", folder, name);
  return buffer;
}

/* The bytes of an IDX file behind its header, `each` bytes an item; NULL on failure. */
static inline unsigned char* read_idx(const char* folder, const char* name, int64_t each,
                                      int64_t* count) {
  char path[1024];
  unsigned char head[16];
  unsigned char* data = NULL;
  const unsigned head_bytes = each == 1 ? 8 : 16; /* labels have one dimension, images three */
  gzFile file = gzopen(join(path, sizeof path, folder, name), "rb");
  if (file && gzread(file, head, head_bytes) == (int)head_bytes) {
    *count = (int64_t)head[4] << 24 | head[5] << 16 | head[6] << 8 | head[7];
    data = malloc((size_t)(*count * each));
    if (data && gzread(file, data, (unsigned)(*count * each)) != (int)(*count * each)) {
      free(data);
      data = NULL;
    }
  }
  if (file) gzclose(file);
  if (!data) fprintf(stderr, "%s: cannot read\n", path);
  return data;
}

/* Fashion-MNIST as the samples use it: images to calibrate with, and test images with their labels.
 */
typedef struct fashion {
  unsigned char *calibration, *images, *labels;
  int64_t n_calibration, n_images, n_labels;
} fashion;

/* 0 on failure; free_fashion() afterwards, either way. */
static inline int read_fashion(const char* folder, fashion* data) {
  data->calibration =
      read_idx(folder, "calib2048-images-idx3-ubyte.gz", PIXELS, &data->n_calibration);
  data->images = read_idx(folder, "t10k-images-idx3-ubyte.gz", PIXELS, &data->n_images);
  data->labels = read_idx(folder, "t10k-labels-idx1-ubyte.gz", 1, &data->n_labels);
  return data->calibration && data->images && data->labels;
}

static inline void free_fashion(fashion* data) {
  free(data->labels);
  free(data->images);
  free(data->calibration);
}

/* One image as the models want it: pixel / 255. */
static inline void set_image(float* to, const unsigned char* image) {
  for (int p = 0; p < PIXELS; ++p) to[p] = (float)image[p] / 255.0f;
}

/* A batch of n images, every `step`-th from `first` on, in the place of what *out was. */
static inline intmill_status image_batch(const unsigned char* images, int64_t first, int64_t step,
                                         int64_t n, intmill_tensor** out) {
  const int64_t dims[4] = {n, 1, 28, 28};
  intmill_tensor_release(*out);
  const intmill_status status = intmill_tensor_create(INTMILL_F32, 4, dims, out);
  if (status == INTMILL_OK) {
    float* x = intmill_tensor_data(*out);
    for (int64_t i = 0; i < n; ++i) set_image(x + i * PIXELS, images + (first + i * step) * PIXELS);
  }
  return status;
}

/* The labels of the same images. */
static inline intmill_status label_batch(const unsigned char* labels, int64_t first, int64_t step,
                                         int64_t n, intmill_tensor** out) {
  intmill_tensor_release(*out);
  const intmill_status status = intmill_tensor_create(INTMILL_S32, 1, &n, out);
  if (status == INTMILL_OK) {
    int32_t* y = intmill_tensor_data(*out);
    for (int64_t i = 0; i < n; ++i) y[i] = labels[first + i * step];
  }
  return status;
}

/* The class with the highest of ten scores. */
static inline int best_class(const float* scores) {
  int best = 0;
  for (int i = 1; i < 10; ++i)
    if (scores[i] > scores[best]) best = i;
  return best;
}

#endif /* INTMILL_SAMPLES_SAMPLE_H */
