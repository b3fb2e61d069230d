/* The library leaves its host alone: it writes nothing to standard output or error, keeps no file
 * open, changes neither the floating-point state nor the signal mask nor the locale, and leaves no
 * tiles shaped. */
#include <dirent.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <unistd.h>

#include "model.h"

static int open_files(void) {
  int count = 0;
  DIR* folder = opendir("/proc/self/fd");
  CHECK(folder != NULL);
  while (readdir(folder)) ++count;
  closedir(folder);
  return count;
}

/* Shapes of AMX tiles, which other libraries would take for their own. */
static int tiles_are_released(void) {
#if defined(__x86_64__)
  if (system("grep -q amx_int8 /proc/cpuinfo") != 0) return 1;
  unsigned char shapes[64], none[64] = {0};
  __asm__ volatile("sttilecfg %0" : "=m"(shapes));
  return memcmp(shapes, none, sizeof shapes) == 0;
#else
  return 1;
#endif
}

static void use_the_library(void) {
  intmill_model* model = load_float_model();
  intmill_model* quantized = quantize_model(model);
  intmill_session* session = open_session(quantized, 2);
  intmill_tensor* x = make_batch();
  run_once(session, x);
  intmill_model* missing = NULL;
  CHECK(intmill_model_load("/nonexistent/model.onnx", NULL, &missing) == INTMILL_ERROR_IO);
  intmill_tensor_release(x);
  intmill_session_release(session);
  intmill_model_release(quantized);
  intmill_model_release(model);
}

int main(void) {
  FILE* captured = tmpfile();
  CHECK(captured != NULL);
  const int real_out = dup(STDOUT_FILENO), real_error = dup(STDERR_FILENO);
  fenv_t environment_before, environment_after;
  sigset_t mask_before, mask_after;
  char locale_before[256];

  use_the_library(); /* what is made once per process, such as OpenMP's threads, exists after this
                      */
  const int files_before = open_files();
  snprintf(locale_before, sizeof locale_before, "%s", setlocale(LC_ALL, NULL));
  CHECK(fegetenv(&environment_before) == 0);
  CHECK(sigprocmask(SIG_SETMASK, NULL, &mask_before) == 0);

  dup2(fileno(captured), STDOUT_FILENO);
  dup2(fileno(captured), STDERR_FILENO);
  use_the_library();
  dup2(real_out, STDOUT_FILENO);
  dup2(real_error, STDERR_FILENO);

  CHECK(fegetenv(&environment_after) == 0);
  CHECK(sigprocmask(SIG_SETMASK, NULL, &mask_after) == 0);
  CHECK(lseek(fileno(captured), 0, SEEK_END) == 0);
  CHECK(open_files() == files_before);
  CHECK(tiles_are_released());
  CHECK(memcmp(&mask_before, &mask_after, sizeof mask_before) == 0);
  CHECK(strcmp(locale_before, setlocale(LC_ALL, NULL)) == 0);
#ifdef __x86_64__ /* rounding, masks, flush-to-zero: all but the sticky exception flags */
  CHECK((environment_before.__mxcsr & ~0x3fu) == (environment_after.__mxcsr & ~0x3fu));
  CHECK(environment_before.__control_word == environment_after.__control_word);
#endif
  fclose(captured);
  return 0;
}
