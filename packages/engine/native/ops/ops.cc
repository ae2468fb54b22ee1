#include "ops.h"

#include <mutex>

namespace graph_runtime {

void RegisterOps() {
  // Every JavaScript environment of a process loads the runtime; TensorFlow has one registry.
  static std::once_flag once;
  std::call_once(once, [] {
    RegisterLinear();
    RegisterConvolution();
    RegisterEpilogue();
    RegisterGroupNorm();
    RegisterShift();
    RegisterGelu();
    RegisterRoiAlign();
  });
}

}  // namespace graph_runtime
