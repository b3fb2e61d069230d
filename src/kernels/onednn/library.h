// The oneDNN library as a whole: which one it is, and how far it may go.
#ifndef INTMILL_KERNELS_ONEDNN_LIBRARY_H
#define INTMILL_KERNELS_ONEDNN_LIBRARY_H

#include <string>

#include "base/cpu.h"
#include "base/status.h"

namespace intmill {

std::string OnednnBuiltWith();  // "3.7.2"
std::string OnednnRunsWith();
std::string OnednnThreading();  // "omp"; anything else would run loops on two pools of threads

// kState once oneDNN has looked at the limit, which the first kernel makes it do.
Status LimitOnednnIsa(Isa highest);

}  // namespace intmill

#endif  // INTMILL_KERNELS_ONEDNN_LIBRARY_H
