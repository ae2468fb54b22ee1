// Vectors of floats as wide as the processor's registers, by the extensions that GCC and Clang share. In memory their
// elements may also be bfloat16: the upper half of a float.

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

struct Bfloat16 {
  uint16_t bits;
};

typedef uint32_t Bits __attribute__((vector_size(kVectorBytes)));
typedef uint16_t HalfBits __attribute__((vector_size(kVectorBytes / 2)));

// The elements of a vector in those of another; the builtin is one instruction, which GCC 8 and older lack.
template <typename To, typename From>
inline To Convert(From from) {
#if defined(__clang__) || __GNUC__ >= 9
  return __builtin_convertvector(from, To);
#else
  To to;
  for (int i = 0; i < kWidth; i++) to[i] = from[i];
  return to;
#endif
}

inline Vector Widen(HalfBits halves) {
  const Bits bits = Convert<Bits>(halves) << 16;
  Vector value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// To the nearest, and of two that are equally near to the even one.
inline HalfBits Narrow(Vector value) {
  Bits bits;
  std::memcpy(&bits, &value, sizeof bits);
  const Bits rounded = (bits + (0x7fff + ((bits >> 16) & 1))) >> 16;
  // Rounding could carry a NaN into infinity or zero.
  const Bits nan = (bits >> 16) | 0x40;
  return Convert<HalfBits>(value == value ? rounded : nan);
}

inline Vector Load(const Bfloat16* from) {
  HalfBits halves;
  std::memcpy(&halves, from, sizeof halves);
  return Widen(halves);
}

inline void Store(Bfloat16* to, Vector value) {
  const HalfBits halves = Narrow(value);
  std::memcpy(to, &halves, sizeof halves);
}

inline float ToFloat(float value) { return value; }

inline float ToFloat(Bfloat16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float wide;
  std::memcpy(&wide, &bits, sizeof wide);
  return wide;
}

// Minus zero and not plus zero: it keeps the sign of a zero.
inline Vector Splat(float value) { return value - Vector{}; }

// The first `count` elements, zeros after them.
inline Vector LoadPart(const float* from, int64_t count) {
  Vector value{};
  std::memcpy(&value, from, static_cast<size_t>(count) * sizeof(float));
  return value;
}

inline Vector LoadPart(const Bfloat16* from, int64_t count) {
  HalfBits halves{};
  std::memcpy(&halves, from, static_cast<size_t>(count) * sizeof(Bfloat16));
  return Widen(halves);
}

inline void StorePart(float* to, Vector value, int64_t count) {
  std::memcpy(to, &value, static_cast<size_t>(count) * sizeof(float));
}

inline void StorePart(Bfloat16* to, Vector value, int64_t count) {
  const HalfBits halves = Narrow(value);
  std::memcpy(to, &halves, static_cast<size_t>(count) * sizeof(Bfloat16));
}

// The elements from `from` on, at most a vector of them; zeros after them.
inline Vector LoadUpTo(const float* from, int64_t count) {
  return count >= kWidth ? Load(from) : LoadPart(from, count);
}

// to[i] = map(i, vector of the elements from i on) for `count` elements; what map gives beyond them is dropped.
template <typename From, typename To, typename Map>
inline void ForVectors(int64_t count, const From* from, To* to, Map map) {
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) Store(to + i, map(i, Load(from + i)));
  if (i < count) StorePart(to + i, map(i, LoadPart(from + i, count - i)), count - i);
}

}  // namespace graph_runtime

#endif  // AS_MLP_OPS_VECTOR_H_
