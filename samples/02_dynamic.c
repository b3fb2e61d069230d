/* Dynamic quantization: 8-bit weights, and no calibration data. Activations get their range from
 * each input while the model runs. Arguments: the data folder. */
#include "sample.h"

int main(int argc, char** argv) {
  const char* folder = argc > 1 ? argv[1] : "samples/data";
  enum { IMAGES = 500 };
  char path[1024];
  int64_t count = 0;
  unsigned char* images = NULL;
  intmill_options* opts = NULL;
  intmill_model *fp32 = NULL, *int8 = NULL;
  intmill_tensor *fp32_file = NULL, *int8_file = NULL, *x = NULL;
  intmill_probe* check = NULL;
  intmill_report* outputs = NULL;
  int exit_status = 1;

  images = read_idx(folder, "t10k-images-idx3-ubyte.gz", PIXELS, &count);
  if (!images) goto done;
  TRY(intmill_model_load(join(path, sizeof path, folder, "fashion_cnn.onnx"), NULL, &fp32));

  TRY(intmill_options_create(&opts));
  TRY(intmill_options_set_i64(opts, NULL, INTMILL_OPT_SCHEME, INTMILL_SCHEME_DYNAMIC));
  TRY(intmill_quantize(fp32, NULL, opts, &int8));

  TRY(intmill_model_save_memory(fp32, NULL, &fp32_file));
  TRY(intmill_model_save_memory(int8, NULL, &int8_file));
  printf("%lld bytes in float, %lld in 8 bits\n", (long long)intmill_tensor_bytes(fp32_file),
         (long long)intmill_tensor_bytes(int8_file));

  TRY(image_batch(images, 0, count / IMAGES, IMAGES, &x));
  TRY(intmill_probe_verify(fp32, int8, NULL, &check));
  TRY(intmill_probe_feed(check, &x, 1, NULL, 0));
  TRY(intmill_probe_report(check, INTMILL_REPORT_OUTPUTS, &outputs));
  printf("outputs: %s\n", intmill_report_json(outputs));
  exit_status = 0;

done:
  intmill_report_release(outputs);
  intmill_probe_release(check);
  intmill_tensor_release(x);
  intmill_tensor_release(int8_file);
  intmill_tensor_release(fp32_file);
  intmill_model_release(int8);
  intmill_model_release(fp32);
  intmill_options_release(opts);
  free(images);
  return exit_status;
}
