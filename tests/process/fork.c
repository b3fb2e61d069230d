/* A process that has run models forks, and parent and child both run on. OpenMP's threads do not
 * exist in the child: without care the child's first parallel region waits for them for ever. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model.h"

enum { ROUNDS = 20, SECONDS = 60 };

static void fork_and_run(const intmill_session* session, intmill_tensor* x, const scores* wanted) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(SECONDS); /* a child that hangs dies by SIGALRM */
    const scores mine = run_once(session, x);
    _exit(same_scores(&mine, wanted) ? 0 : 2);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status)) fprintf(stderr, "the child died of signal %d\n", WTERMSIG(status));
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
  intmill_model* model = load_float_model();
  intmill_session* session = open_session(model, 2);
  intmill_tensor* x = make_batch();
  const scores wanted = run_once(session, x);
  for (int i = 0; i < ROUNDS; ++i) {
    fork_and_run(session, x, &wanted);
    const scores again = run_once(session, x);
    CHECK(same_scores(&again, &wanted));
  }
  intmill_tensor_release(x);
  intmill_session_release(session);
  intmill_model_release(model);
  return 0;
}
