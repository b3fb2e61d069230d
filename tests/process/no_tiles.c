/* Where the system gives a process no AMX tiles (a filter of system calls does not let it ask, or
 * the kernel is too old) the library does without: using one would end the process. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "model.h"

static void refuse_tiles(void) {
#if defined(__x86_64__)
  const unsigned request_permission = 0x1023; /* ARCH_REQ_XCOMP_PERM */
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_arch_prctl, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, request_permission, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog filter = {sizeof code / sizeof code[0], code};
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
#endif
}

int main(void) {
  refuse_tiles();
  intmill_model* model = load_float_model();
  intmill_model* quantized = quantize_model(model);
  intmill_session* session = open_session(quantized, 2);
  intmill_tensor* x = make_batch();
  run_once(session, x);
  intmill_tensor_release(x);
  intmill_session_release(session);
  intmill_model_release(quantized);
  intmill_model_release(model);
  return 0;
}
