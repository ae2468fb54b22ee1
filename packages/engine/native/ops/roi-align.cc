#include <algorithm>
#include <cmath>
#include <vector>

#include "kernel.h"
#include "ops.h"
#include "tensorflow/c/ops.h"
#include "thread-pool.h"

namespace graph_runtime {
namespace {

// Numbers of a region: index of its image, then x0, y0, x1, y1 in pixels of the image.
constexpr int64_t kRoi = 5;
// Side of a square region that belongs to the finest map, in pixels; up to twice as much.
constexpr double kFinestSide = 56;
// Channels of which a thread adds up the gradient at a time.
constexpr int64_t kChannels = 64;

// Everything that decides about samples is rounded to float after each step, as officially. A conversion also keeps the
// compiler from joining two steps into one that rounds once.
inline float Rounded(double value) { return static_cast<float>(value); }

// How the cells of the result mix those of a map along one axis: cell b takes weights[b * most + k] of cell starts[b] + k.
struct Bins {
  std::vector<int64_t> starts;
  std::vector<int64_t> counts;  // 0 where every sample lies outside.
  std::vector<float> weights;
  int64_t most = 0;
  int64_t begin = 0;  // The cells of the map that are needed.
  int64_t end = 0;
};

// The mean of ⌈step⌉ linear interpolations in each of `bins` equal parts of low … high, which are cells with their centres
// at whole numbers. Samples more than a cell outside of the map are 0.
Bins MakeBins(float low, float high, int64_t bins, int64_t cells) {
  Bins made;
  const float step = Rounded(Rounded(static_cast<double>(high) - low) / static_cast<double>(bins));
  const int64_t samples = step > 0 && std::isfinite(step) ? static_cast<int64_t>(std::ceil(step)) : 0;
  made.most = std::min(samples, cells) + 1;
  made.starts.assign(static_cast<size_t>(bins), 0);
  made.counts.assign(static_cast<size_t>(bins), 0);
  made.weights.assign(static_cast<size_t>(bins * made.most), 0);
  made.begin = cells;
  for (int64_t bin = 0; bin < bins; bin++) {
    float* const weights = made.weights.data() + bin * made.most;
    const float first = Rounded(static_cast<double>(low) + Rounded(static_cast<double>(bin) * step));
    int64_t start = -1;
    int64_t last = -1;
    const auto add = [&](int64_t cell, double weight) {
      weights[cell - start] = Rounded(weights[cell - start] + weight / static_cast<double>(samples));
    };
    for (int64_t k = 0; k < samples; k++) {
      const float offset = Rounded(Rounded((static_cast<double>(k) + 0.5) * step) / static_cast<double>(samples));
      const float position = Rounded(static_cast<double>(first) + offset);
      if (!(position >= -1 && position <= static_cast<double>(cells))) continue;
      const double inside = std::min(std::max<double>(position, 0), static_cast<double>(cells - 1));
      const int64_t cell = static_cast<int64_t>(inside);
      const double fraction = inside - static_cast<double>(cell);
      if (start < 0) start = cell;
      last = fraction > 0 ? std::min(cell + 1, cells - 1) : std::max(last, cell);
      add(cell, 1 - fraction);
      if (fraction > 0) add(last, fraction);
    }
    if (start < 0) continue;
    made.starts[static_cast<size_t>(bin)] = start;
    made.counts[static_cast<size_t>(bin)] = last - start + 1;
    made.begin = std::min(made.begin, start);
    made.end = std::max(made.end, last + 1);
  }
  if (made.end == 0) made.begin = 0;
  return made;
}

// A region laid over the map that fits its size.
struct Region {
  int64_t image;
  size_t level;
  Bins rows;
  Bins columns;
  bool IsEmpty() const { return rows.end == 0 || columns.end == 0; }
};

// The maps [B, H_i, W_i, C] of a pyramid.
class Pyramid {
 public:
  Pyramid(const Context& context, int first, const std::vector<int64_t>& strides) : strides_(strides) {
    for (size_t level = 0; level < strides.size(); level++) {
      maps_.push_back(context.Get(first + static_cast<int>(level), 4));
      const Shape& shape = maps_[level].shape;
      if (shape.size() != 4 || shape[0] != batch() || shape[3] != channels()) {
        Fail("a map is " + ToText(shape) + " beside " + ToText(maps_[0].shape));
      }
    }
  }

  const Input& map(size_t level) const { return maps_[level]; }
  size_t levels() const { return maps_.size(); }
  int64_t batch() const { return maps_[0].shape[0]; }
  int64_t channels() const { return maps_[0].shape[3]; }
  int64_t widest() const {
    int64_t widest = 0;
    for (const Input& map : maps_) widest = std::max(widest, map.shape[2]);
    return widest;
  }

  Region Lay(const float* roi, int64_t size) const {
    const int64_t image = static_cast<int64_t>(roi[0]);
    if (!(roi[0] >= 0) || image >= batch()) Fail("a region is of image " + std::to_string(roi[0]));
    const size_t level = LevelOf(roi + 1);
    const double stride = static_cast<double>(strides_[level]);
    const auto cell = [&](int64_t at) { return Rounded(Rounded(roi[at] / stride) - 0.5); };
    const Shape& shape = maps_[level].shape;
    return {image, level, MakeBins(cell(2), cell(4), size, shape[1]), MakeBins(cell(1), cell(3), size, shape[2])};
  }

 private:
  size_t LevelOf(const float* box) const {
    const float width = Rounded(static_cast<double>(box[2]) - box[0]);
    const float height = Rounded(static_cast<double>(box[3]) - box[1]);
    const float side = Rounded(Rounded(std::sqrt(static_cast<double>(Rounded(static_cast<double>(width) * height)))) /
                               kFinestSide);
    const float raised = Rounded(static_cast<double>(side) + Rounded(1e-6));
    const double level = std::floor(Rounded(std::log2(static_cast<double>(raised))));
    return level > 0 ? std::min(static_cast<size_t>(std::min(level, 64.0)), levels() - 1) : 0;
  }

  const std::vector<int64_t>& strides_;
  std::vector<Input> maps_;
};

// to[j] += weight * from[j]
inline void AddScaled(const float* __restrict from, float weight, float* __restrict to, int64_t count) {
  for (int64_t j = 0; j < count; j++) to[j] += weight * from[j];
}

class RoiKernel {
 public:
  explicit RoiKernel(const Attributes& attributes)
      : size_(attributes.Integer("size")), strides_(attributes.Integers("strides")) {
    if (size_ < 1) Fail("size is " + std::to_string(size_));
    if (strides_.empty()) Fail("there is no stride");
    for (const int64_t stride : strides_) {
      if (stride < 1) Fail("a stride is " + std::to_string(stride));
    }
  }

 protected:
  Input GetRois(const Context& context) const {
    const Input rois = context.Get(0, 2);
    if (rois.shape.size() != 2 || rois.last() != kRoi) Fail("rois is " + ToText(rois.shape) + " and must be [N, 5]");
    if (context.inputs() < static_cast<int>(strides_.size()) + 1) Fail("there are fewer maps than strides");
    return rois;
  }

  const int64_t size_;
  const std::vector<int64_t> strides_;
};

class RoiAlignKernel : public RoiKernel {
 public:
  explicit RoiAlignKernel(const Attributes& attributes) : RoiKernel(attributes) {}

  void Compute(const Context& context) const {
    const Input rois = GetRois(context);
    const Pyramid pyramid(context, 1, strides_);
    const int64_t channels = pyramid.channels();
    const int64_t count = rois.shape[0];
    float* const y = static_cast<float*>(context.Output({count, size_, size_, channels}));
    const int64_t cut = size_ * size_ * channels;
    std::vector<Region> regions(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; i++) {
      regions[static_cast<size_t>(i)] = pyramid.Lay(rois.floats() + i * kRoi, size_);
    }
    ThreadPool::Get().For(count, [&](int64_t i) { Cut(pyramid, regions[static_cast<size_t>(i)], y + i * cut); });
  }

 private:
  void Cut(const Pyramid& pyramid, const Region& region, float* y) const {
    const auto& [image, level, rows, columns] = region;
    const int64_t channels = pyramid.channels();
    std::fill(y, y + size_ * size_ * channels, 0.0f);
    if (region.IsEmpty()) return;
    const Input& map = pyramid.map(level);
    const int64_t row_size = map.shape[2] * channels;
    const int64_t used = (columns.end - columns.begin) * channels;
    const float* const x = map.floats() + image * map.shape[1] * row_size + columns.begin * channels;
    std::vector<float> strip(static_cast<size_t>(used));
    for (int64_t row = 0; row < size_; row++) {
      const size_t r = static_cast<size_t>(row);
      if (rows.counts[r] == 0) continue;
      std::fill(strip.begin(), strip.end(), 0.0f);
      for (int64_t k = 0; k < rows.counts[r]; k++) {
        AddScaled(x + (rows.starts[r] + k) * row_size, rows.weights[r * rows.most + k], strip.data(), used);
      }
      for (int64_t column = 0; column < size_; column++) {
        const size_t c = static_cast<size_t>(column);
        const float* const from = strip.data() + (columns.starts[c] - columns.begin) * channels;
        for (int64_t k = 0; k < columns.counts[c]; k++) {
          AddScaled(from + k * channels, columns.weights[c * columns.most + k], y + (row * size_ + column) * channels,
                    channels);
        }
      }
    }
  }
};

class RoiAlignGradientKernel : public RoiKernel {
 public:
  explicit RoiAlignGradientKernel(const Attributes& attributes) : RoiKernel(attributes) {}

  void Compute(const Context& context) const {
    const Input rois = GetRois(context);
    const Input dy = context.Get(1, 4);
    const Pyramid pyramid(context, 2, strides_);
    const int64_t channels = pyramid.channels();
    const int64_t count = rois.shape[0];
    if (dy.shape != Shape{count, size_, size_, channels}) {
      Fail("the gradient is " + ToText(dy.shape) + " and must be " + ToText({count, size_, size_, channels}));
    }
    std::vector<float*> dx;
    for (size_t level = 0; level < pyramid.levels(); level++) {
      const Input& map = pyramid.map(level);
      dx.push_back(static_cast<float*>(context.Output(map.shape, static_cast<int>(level))));
      std::fill(dx[level], dx[level] + map.size(), 0.0f);
    }
    std::vector<Region> regions(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; i++) {
      regions[static_cast<size_t>(i)] = pyramid.Lay(rois.floats() + i * kRoi, size_);
    }
    // Regions overlap: those of one image are added one after the other, always in the same order.
    const int64_t blocks = (channels + kChannels - 1) / kChannels;
    ThreadPool::Get().For(pyramid.batch() * blocks, [&](int64_t part) {
      const int64_t first = part % blocks * kChannels;
      const int64_t some = std::min(kChannels, channels - first);
      std::vector<float> strip(static_cast<size_t>(pyramid.widest() * some));
      for (int64_t i = 0; i < count; i++) {
        const Region& region = regions[static_cast<size_t>(i)];
        if (region.image != part / blocks || region.IsEmpty()) continue;
        const float* const from = dy.floats() + i * size_ * size_ * channels + first;
        Spread(pyramid, region, from, some, strip.data(), dx[region.level] + first);
      }
    });
  }

 private:
  // Adds `some` channels of the gradient of a region to those of its map.
  void Spread(const Pyramid& pyramid, const Region& region, const float* dy, int64_t some, float* strip,
              float* dx) const {
    const auto& [image, level, rows, columns] = region;
    const int64_t channels = pyramid.channels();
    const Shape& shape = pyramid.map(level).shape;
    const int64_t used = columns.end - columns.begin;
    float* const to = dx + (image * shape[1] * shape[2] + columns.begin) * channels;
    for (int64_t row = 0; row < size_; row++) {
      const size_t r = static_cast<size_t>(row);
      if (rows.counts[r] == 0) continue;
      std::fill(strip, strip + used * some, 0.0f);
      for (int64_t column = 0; column < size_; column++) {
        const size_t c = static_cast<size_t>(column);
        for (int64_t k = 0; k < columns.counts[c]; k++) {
          AddScaled(dy + (row * size_ + column) * channels, columns.weights[c * columns.most + k],
                    strip + (columns.starts[c] - columns.begin + k) * some, some);
        }
      }
      for (int64_t k = 0; k < rows.counts[r]; k++) {
        float* const line = to + (rows.starts[r] + k) * shape[2] * channels;
        for (int64_t cell = 0; cell < used; cell++) {
          AddScaled(strip + cell * some, rows.weights[r * rows.most + k], line + cell * channels, some);
        }
      }
    }
  }
};

}  // namespace

void RegisterRoiAlign() {
  const std::vector<const char*> attributes = {"size: int", "strides: list(int)", "N: int >= 1"};
  RegisterDefinition({"AsMlpRoiAlign",
                      {"rois: float", "maps: N * float"},
                      attributes,
                      {"y: float"},
                      TF_ShapeInferenceContextSetUnknownShape});
  RegisterKernel<RoiAlignKernel>("AsMlpRoiAlign");
  RegisterDefinition({"AsMlpRoiAlignGradient",
                      {"rois: float", "dy: float", "maps: N * float"},
                      attributes,
                      {"gradients: N * float"},
                      TF_ShapeInferenceContextSetUnknownShape});
  RegisterKernel<RoiAlignGradientKernel>("AsMlpRoiAlignGradient");
}

}  // namespace graph_runtime
