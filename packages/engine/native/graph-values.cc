#include "graph-values.h"

#include <cstdint>
#include <cstring>
#include <vector>

namespace graph_runtime {
namespace {

struct Dtype {
  const char* name;
  TF_DataType type;
  napi_typedarray_type array;
};

constexpr Dtype kDtypes[] = {
    {"float32", TF_FLOAT, napi_float32_array}, {"int32", TF_INT32, napi_int32_array},
    {"bool", TF_BOOL, napi_uint8_array},       {"uint8", TF_UINT8, napi_uint8_array},
    {"int64", TF_INT64, napi_bigint64_array},
};

// Below this a copy costs less than what hands memory over.
constexpr size_t kSmall = 4096;

napi_value ToArrayBuffer(napi_env env, Tensor tensor, size_t bytes) {
  void* data = TF_TensorData(tensor.get());
  napi_value buffer;
  if (bytes >= kSmall) {
    if (TF_Tensor* moved = TF_TensorMaybeMove(tensor.get())) {
      tensor.release();
      tensor.reset(moved);
      const auto free = [](napi_env, void*, void* owned) { TF_DeleteTensor(static_cast<TF_Tensor*>(owned)); };
      const napi_status status = napi_create_external_arraybuffer(env, data, bytes, free, moved, &buffer);
      if (status == napi_ok) {
        tensor.release();
        return buffer;
      }
      // Some embedders of V8 allow no memory from outside.
      if (status != napi_no_external_buffers_allowed) Check(env, status);
    }
  }
  void* copy = nullptr;
  Check(env, napi_create_arraybuffer(env, bytes, &copy, &buffer));
  if (bytes > 0) std::memcpy(copy, data, bytes);
  return buffer;
}

}  // namespace

void Check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  throw std::runtime_error(info && info->error_message ? info->error_message : "Node-API failed");
}

std::string ToString(napi_env env, napi_value value, const char* what) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    throw std::runtime_error(std::string(what) + " is no string");
  }
  std::string text(length, '\0');
  Check(env, napi_get_value_string_utf8(env, value, text.data(), length + 1, &length));
  return text;
}

napi_value Property(napi_env env, napi_value object, const char* name) {
  napi_value value;
  Check(env, napi_get_named_property(env, object, name, &value));
  return value;
}

std::pair<const void*, size_t> ToBytes(napi_env env, napi_value value, const char* what) {
  napi_typedarray_type type = napi_float64_array;
  size_t length = 0;
  void* data = nullptr;
  napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr);
  if (type != napi_uint8_array) throw std::runtime_error(std::string(what) + " is no Uint8Array");
  return {data, length};
}

Tensor ToTensor(napi_env env, napi_value feed, const std::string& name) {
  const auto fail = [&](const std::string& what) -> void {
    throw std::runtime_error("feed \"" + name + "\": " + what);
  };
  const std::string wanted = ToString(env, Property(env, feed, "dtype"), "dtype");
  const Dtype* dtype = nullptr;
  for (const Dtype& known : kDtypes) {
    if (wanted == known.name) dtype = &known;
  }
  if (dtype == nullptr) fail("there is no dtype \"" + wanted + "\"");

  std::vector<int64_t> shape;
  const size_t width = TF_DataTypeSize(dtype->type);
  int64_t bytes = static_cast<int64_t>(width);
  ForEach(env, Property(env, feed, "shape"), "shape", [&](napi_value element) {
    double size = -1;
    napi_get_value_double(env, element, &size);
    const bool valid = size >= 0 && size <= INT32_MAX && size == static_cast<int64_t>(size);
    if (!valid) fail("its shape has a bad size");
    shape.push_back(static_cast<int64_t>(size));
    if (__builtin_mul_overflow(bytes, shape.back(), &bytes)) fail("its shape is too large");
  });
  if (shape.size() > 254) fail("its shape has too many dimensions");

  napi_typedarray_type type = napi_float64_array;
  size_t length = 0;
  void* data = nullptr;
  napi_get_typedarray_info(env, Property(env, feed, "data"), &type, &length, &data, nullptr, nullptr);
  if (type != dtype->array) fail("its data is no typed array for " + wanted);
  const size_t size = static_cast<size_t>(bytes);
  if (length * width != size) {
    fail("its data has " + std::to_string(length) + " elements, and its shape asks for " +
         std::to_string(size / width));
  }
  Tensor tensor(TF_AllocateTensor(dtype->type, shape.data(), static_cast<int>(shape.size()), size));
  if (!tensor) fail("there is no memory for it");
  if (size > 0) std::memcpy(TF_TensorData(tensor.get()), data, size);
  if (dtype->type == TF_BOOL) {
    // Any other byte is undefined behaviour of the code that reads it.
    auto* flags = static_cast<uint8_t*>(TF_TensorData(tensor.get()));
    for (size_t i = 0; i < size; i++) flags[i] = flags[i] != 0;
  }
  return tensor;
}

napi_value FromTensor(napi_env env, Tensor tensor) {
  const Dtype* dtype = nullptr;
  for (const Dtype& known : kDtypes) {
    if (TF_TensorType(tensor.get()) == known.type) dtype = &known;
  }
  if (dtype == nullptr) {
    throw std::runtime_error("a fetched tensor has the type " + std::to_string(TF_TensorType(tensor.get())) +
                             " of TensorFlow, which has no typed array");
  }
  napi_value result, name, shape, data;
  Check(env, napi_create_object(env, &result));
  Check(env, napi_create_string_utf8(env, dtype->name, NAPI_AUTO_LENGTH, &name));
  Check(env, napi_create_array(env, &shape));
  for (int i = 0; i < TF_NumDims(tensor.get()); i++) {
    napi_value size;
    Check(env, napi_create_int64(env, TF_Dim(tensor.get(), i), &size));
    Check(env, napi_set_element(env, shape, static_cast<uint32_t>(i), size));
  }
  const size_t length = static_cast<size_t>(TF_TensorElementCount(tensor.get()));
  const size_t bytes = length * TF_DataTypeSize(dtype->type);
  napi_value buffer = ToArrayBuffer(env, std::move(tensor), bytes);
  Check(env, napi_create_typedarray(env, dtype->array, length, buffer, 0, &data));
  Check(env, napi_set_named_property(env, result, "dtype", name));
  Check(env, napi_set_named_property(env, result, "shape", shape));
  Check(env, napi_set_named_property(env, result, "data", data));
  return result;
}

}  // namespace graph_runtime
