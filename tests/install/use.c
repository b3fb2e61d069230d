/* The smallest user of an installed intmill. */
#include <intmill/intmill.h>
#include <stdio.h>

int main(void) {
  printf("%d\n", (int)intmill_version());
  return 0;
}
