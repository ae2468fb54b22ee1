// Vectors of floats as wide as the processor's registers, by the extensions that GCC and Clang share.

#ifndef AS_MLP_OPS_VECTOR_H_
#define AS_MLP_OPS_VECTOR_H_

#include <cstdint>
#include <cstring>

namespace graph_runtime {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

// Elements of a vector.
constexpr int kWidth = kVectorBytes / static_cast<int>(sizeof(float));

typedef float Vector __attribute__((vector_size(kVectorBytes)));
typedef int32_t Integers __attribute__((vector_size(kVectorBytes)));
typedef float UnalignedVector __attribute__((vector_size(kVectorBytes), aligned(4), may_alias));

inline Vector Load(const float* from) { return *reinterpret_cast<const UnalignedVector*>(from); }

inline void Store(float* to, Vector value) { *reinterpret_cast<UnalignedVector*>(to) = value; }

// Minus zero and not plus zero: it keeps the sign of a zero.
inline Vector Splat(float value) { return value - Vector{}; }

// The first `count` elements, zeros after them.
inline Vector LoadPart(const float* from, int64_t count) {
  Vector value{};
  std::memcpy(&value, from, static_cast<size_t>(count) * sizeof(float));
  return value;
}

inline void StorePart(float* to, Vector value, int64_t count) {
  std::memcpy(to, &value, static_cast<size_t>(count) * sizeof(float));
}

// The elements from `from` on, at most a vector of them; zeros after them.
inline Vector LoadUpTo(const float* from, int64_t count) {
  return count >= kWidth ? Load(from) : LoadPart(from, count);
}

// to[i] = map(i, vector of the elements from i on) for `count` elements; what map gives beyond them is dropped.
template <typename Map>
inline void ForVectors(int64_t count, const float* from, float* to, Map map) {
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) Store(to + i, map(i, Load(from + i)));
  if (i < count) StorePart(to + i, map(i, LoadPart(from + i, count - i)), count - i);
}

}  // namespace graph_runtime

#endif  // AS_MLP_OPS_VECTOR_H_
