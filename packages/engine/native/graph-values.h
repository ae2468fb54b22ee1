// Values of JavaScript as those of C++ and TensorFlow, and back. All throw std::runtime_error.

#ifndef AS_MLP_GRAPH_VALUES_H_
#define AS_MLP_GRAPH_VALUES_H_

#include <node_api.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

#include "graph-session.h"

namespace graph_runtime {

// Throws what Node-API says of a call that failed.
void Check(napi_env env, napi_status status);

// `what` names the value in an error.
std::string ToString(napi_env env, napi_value value, const char* what);

// The bytes of a Uint8Array; they are JavaScript's.
std::pair<const void*, size_t> ToBytes(napi_env env, napi_value value, const char* what);

napi_value Property(napi_env env, napi_value object, const char* name);

template <typename Visit>
void ForEach(napi_env env, napi_value array, const char* what, Visit visit) {
  uint32_t length = 0;
  if (napi_get_array_length(env, array, &length) != napi_ok) {
    throw std::runtime_error(std::string(what) + " is no array");
  }
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    Check(env, napi_get_element(env, array, i, &element));
    visit(element);
  }
}

// A copy of what is fed, { dtype, shape, data }. A view would let JavaScript change a tensor while it is read
// or, where the graph assigns it to a variable, long after; and few arrays lie on the boundaries that
// TensorFlow asks for.
Tensor ToTensor(napi_env env, napi_value feed, const std::string& name);

// { dtype, shape, data }, with the memory of the tensor where nobody else holds it. A variable, a constant or a
// feed may be fetched as it is, and must not be writable from JavaScript: those are copied.
napi_value FromTensor(napi_env env, Tensor tensor);

}  // namespace graph_runtime

#endif  // AS_MLP_GRAPH_VALUES_H_
