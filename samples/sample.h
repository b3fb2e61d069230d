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

/* A batch of n images, every `step`-th from `first` on, as pixel / 255. */
static inline intmill_status image_batch(const unsigned char* images, int64_t first, int64_t step,
                                         int64_t n, intmill_tensor** out) {
  const int64_t dims[4] = {n, 1, 28, 28};
  const intmill_status status = intmill_tensor_create(INTMILL_F32, 4, dims, out);
  if (status == INTMILL_OK) {
    float* x = intmill_tensor_data(*out);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t p = 0; p < PIXELS; ++p)
        x[i * PIXELS + p] = (float)images[(first + i * step) * PIXELS + p] / 255.0f;
  }
  return status;
}

/* The labels of the same images. */
static inline intmill_status label_batch(const unsigned char* labels, int64_t first, int64_t step,
                                         int64_t n, intmill_tensor** out) {
  const intmill_status status = intmill_tensor_create(INTMILL_S32, 1, &n, out);
  if (status == INTMILL_OK) {
    int32_t* y = intmill_tensor_data(*out);
    for (int64_t i = 0; i < n; ++i) y[i] = labels[first + i * step];
  }
  return status;
}

#endif /* INTMILL_SAMPLES_SAMPLE_H */
