/* Static quantization from end to end: load, calibrate, quantize, verify, save, load, run.
 * Arguments: the data folder, and the file to write. */
#include "sample.h"

int main(int argc, char** argv) {
  const char* folder = argc > 1 ? argv[1] : "samples/data";
  const char* saved = argc > 2 ? argv[2] : "fashion_cnn.im";
  enum { CALIBRATION = 256, TEST = 1000, BATCH = 100 };
  char path[1024];
  fashion data = {0};
  intmill_model *fp32 = NULL, *int8 = NULL, *loaded = NULL;
  intmill_probe *calibration = NULL, *check = NULL;
  intmill_report* summary = NULL;
  intmill_session* session = NULL;
  intmill_tensor *x = NULL, *y = NULL, *scores = NULL;
  int exit_status = 1;

  if (!read_fashion(folder, &data)) goto done;
  TRY(intmill_model_load(join(path, sizeof path, folder, "fashion_cnn.onnx"), NULL, &fp32));

  /* Calibrate: run the float model on images that it may see, never on the test set. */
  TRY(intmill_probe_calibrate(fp32, NULL, &calibration));
  TRY(image_batch(data.calibration, 0, data.n_calibration / CALIBRATION, CALIBRATION, &x));
  TRY(intmill_probe_feed(calibration, &x, 1, NULL, 0));
  TRY(intmill_quantize(fp32, calibration, NULL, &int8));

  /* Verify: both models on the same test images, with their labels. */
  TRY(intmill_probe_verify(fp32, int8, NULL, &check));
  for (int64_t first = 0; first < TEST; first += BATCH) {
    TRY(image_batch(data.images, first, 1, BATCH, &x));
    TRY(label_batch(data.labels, first, 1, BATCH, &y));
    TRY(intmill_probe_feed(check, &x, 1, &y, 1));
  }
  TRY(intmill_probe_report(check, INTMILL_REPORT_SUMMARY, &summary));
  printf("%s\n", intmill_report_json(summary));

  /* Save, load and run: this is all that the deployed program needs. */
  TRY(intmill_model_save(int8, saved, NULL));
  TRY(intmill_model_load(saved, NULL, &loaded));
  TRY(intmill_session_create(loaded, NULL, &session));
  TRY(intmill_session_run(session, &x, 1, &scores, 1));
  printf("test image %d is of class %d, the model says %d\n", TEST - BATCH,
         data.labels[TEST - BATCH], best_class(intmill_tensor_data(scores)));
  exit_status = 0;

done: /* in any order */
  intmill_tensor_release(x);
  intmill_tensor_release(y);
  intmill_tensor_release(scores);
  intmill_model_release(fp32);
  intmill_model_release(int8);
  intmill_model_release(loaded);
  intmill_session_release(session);
  intmill_report_release(summary);
  intmill_probe_release(check);
  intmill_probe_release(calibration);
  free_fashion(&data);
  return exit_status;
}
