/* Quantizes one tensor to 8 bits and back, and says what that costs and saves. */
#include <math.h>

#include "sample.h"

/* Standard normal numbers (Box and Muller) from a fixed seed. */
static void fill_normal(float* x, int64_t n) {
  uint64_t state = 1;
  for (int64_t i = 0; i < n; ++i) {
    double u[2];
    for (int k = 0; k < 2; ++k) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      u[k] = ((double)(state >> 11) + 0.5) / 9007199254740992.0;
    }
    x[i] = (float)(sqrt(-2.0 * log(u[0])) * cos(6.283185307179586 * u[1]));
  }
}

int main(void) {
  const int64_t dims[2] = {64, 64};
  const float fixed_scale = 0.01f;
  intmill_tensor *x = NULL, *q = NULL, *back = NULL;
  intmill_qparams *fixed = NULL, *chosen = NULL;
  int exit_status = 1;

  TRY(intmill_tensor_create(INTMILL_F32, 2, dims, &x));
  fill_normal(intmill_tensor_data(x), dims[0] * dims[1]);

  /* Scale 0.01 and zero point 0 hold -1.28 to 1.27: most of the error is what lies outside. Then
   * let the library choose from the data. */
  TRY(intmill_qparams_create(INTMILL_S8, -1, 1, &fixed_scale, NULL, &fixed));
  TRY(intmill_qparams_choose(x, -1, NULL, &chosen));

  for (int i = 0; i < 2; ++i) {
    const intmill_qparams* params = i == 0 ? fixed : chosen;
    intmill_difference difference = INTMILL_DIFFERENCE_INIT;
    intmill_tensor_release(q);
    intmill_tensor_release(back);
    q = back = NULL;
    TRY(intmill_tensor_quantize(x, params, &q));
    TRY(intmill_tensor_dequantize(q, &back));
    TRY(intmill_tensor_compare(x, back, &difference));
    printf("%-6s scale %.6f, zero point %4d: mean absolute error %.6f, memory ratio %.2fx\n",
           i == 0 ? "fixed" : "chosen", intmill_qparams_scales(params)[0],
           intmill_qparams_zero_points(params)[0], difference.mean_abs,
           (double)intmill_tensor_bytes(x) / (double)intmill_tensor_bytes(q));
  }
  exit_status = 0;

done:
  intmill_tensor_release(back);
  intmill_tensor_release(q);
  intmill_tensor_release(x);
  intmill_qparams_release(chosen);
  intmill_qparams_release(fixed);
  return exit_status;
}
