#include "product.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "gelu.h"
#include "thread-pool.h"
#include "vector.h"

namespace graph_runtime {
namespace {

// The inner loop keeps a tile of y in registers: as many vectors as leave room for a row of weights and one x.
#if defined(__AVX512F__)
constexpr int kTileRows = 12;
constexpr int kTileVectors = 2;
#elif defined(__AVX__)
constexpr int kTileRows = 6;
constexpr int kTileVectors = 2;
#elif defined(__aarch64__)
constexpr int kTileRows = 6;
constexpr int kTileVectors = 4;
#else
constexpr int kTileRows = 6;
constexpr int kTileVectors = 2;
#endif
constexpr int kTileColumns = kTileVectors * kWidth;

// A panel of this depth and the rows of x beside it stay in the caches nearest to the processor.
constexpr int64_t kDepth = 512;
constexpr int64_t kBlockRows = 120;

constexpr int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Where the i-th of `parts` parts of `count` begins; parts differ by one at most.
constexpr int64_t Part(int64_t i, int64_t parts, int64_t count) { return i * count / parts; }

// The part of a product that one call of the inner loop computes.
struct Tile {
  const float* x;
  int64_t x_stride;
  const float* panel;
  int64_t depth;
  // Where sums begin: at y when `resume`, else at `bias`.
  bool resume;
  const float* bias;
  float* y;
  int64_t y_stride;
  // Memory that is needed soon.
  const float* ahead;
};

template <int Rows>
void Accumulate(const Tile& tile) {
  Vector sums[Rows][kTileVectors];
  for (int r = 0; r < Rows; r++) {
    for (int v = 0; v < kTileVectors; v++) {
      sums[r][v] = Load((tile.resume ? tile.y + r * tile.y_stride : tile.bias) + v * kWidth);
    }
  }
  const float* x = tile.x;
  const float* panel = tile.panel;
  const float* ahead = tile.ahead;
  const int64_t stride = tile.x_stride;
  const auto step = [&](int64_t k) {
    Vector weights[kTileVectors];
    for (int v = 0; v < kTileVectors; v++) weights[v] = Load(panel + k * kTileColumns + v * kWidth);
    for (int r = 0; r < Rows; r++) {
      const Vector factor = Splat(x[r * stride + k]);
      for (int v = 0; v < kTileVectors; v++) sums[r][v] += factor * weights[v];
    }
  };
  int64_t k = 0;
  for (; k + 4 <= tile.depth; k += 4) {
    __builtin_prefetch(ahead + k * kTileColumns / 4);
    step(k);
    step(k + 1);
    step(k + 2);
    step(k + 3);
  }
  for (; k < tile.depth; k++) step(k);
  for (int r = 0; r < Rows; r++) {
    for (int v = 0; v < kTileVectors; v++) Store(tile.y + r * tile.y_stride + v * kWidth, sums[r][v]);
  }
}

template <int Rows = kTileRows>
void AccumulateRows(int64_t rows, const Tile& tile) {
  if constexpr (Rows > 1) {
    if (rows < Rows) return AccumulateRows<Rows - 1>(rows, tile);
  }
  Accumulate<Rows>(tile);
}

// One product as the threads see it.
struct Job {
  const float* x;
  const PackedWeights& weights;
  const Finish& finish;
  const float* bias;  // [panels · kTileColumns]
  float* y;

  void Compute(int64_t row, int64_t row_end, int64_t panel, int64_t panel_end) const;
  void ComputeTile(Tile tile, int64_t rows, int64_t row, int64_t column, bool last) const;
};

void Job::ComputeTile(Tile tile, int64_t rows, int64_t row, int64_t column, bool last) const {
  const int64_t columns = weights.columns;
  const int64_t width = std::min<int64_t>(kTileColumns, columns - column);
  const bool gelu = last && finish.gelu;
  const float* residual = last && finish.residual ? finish.residual + row * columns + column : nullptr;
  float* const out = y + row * columns + column;
  // y comes to the cache while the sums are computed, and is written once.
  for (int64_t r = 0; r < rows; r++) __builtin_prefetch(out + r * columns, 1);
  if (residual) {
    for (int64_t r = 0; r < rows; r++) __builtin_prefetch(residual + r * columns);
  }
  const bool direct = width == kTileColumns && !gelu && !residual;
  alignas(kVectorBytes) float sums[kTileRows * kTileColumns];
  tile.y = direct ? out : sums;
  tile.y_stride = direct ? columns : kTileColumns;
  if (!direct && tile.resume) {
    for (int64_t r = 0; r < rows; r++) std::copy_n(out + r * columns, width, sums + r * kTileColumns);
  }
  AccumulateRows(rows, tile);
  if (direct) return;
  for (int64_t r = 0; r < rows; r++) {
    ForVectors(width, sums + r * kTileColumns, out + r * columns, [&](int64_t i, Vector value) {
      if (gelu) value = Gelu(value);
      if (!residual) return value;
      const float* add = residual + r * columns + i;
      return value + (i + kWidth <= width ? Load(add) : LoadPart(add, width - i));
    });
  }
}

void Job::Compute(int64_t row, int64_t row_end, int64_t panel, int64_t panel_end) const {
  const int64_t depth = weights.depth;
  const int64_t tiles = CeilDiv(row_end - row, kTileRows);
  int64_t k = 0;
  do {
    const int64_t block = std::min(kDepth, depth - k);
    const bool last = k + block == depth;
    for (int64_t p = panel; p < panel_end; p++) {
      const float* const weight = weights.Panel(p) + k * kTileColumns;
      const float* const next = p + 1 < panel_end ? weights.Panel(p + 1) + k * kTileColumns : weight;
      for (int64_t t = 0; t < tiles; t++) {
        const int64_t first = row + Part(t, tiles, row_end - row);
        const int64_t end = row + Part(t + 1, tiles, row_end - row);
        Tile tile{x + first * depth + k, depth, weight, block, k > 0, bias + p * kTileColumns, nullptr, 0, weight};
        // The next panel comes from memory while the first rows of this one are computed, a quarter at a time.
        if (t < 4) tile.ahead = next + t * block * kTileColumns / 4;
        ComputeTile(tile, end - first, first, p * kTileColumns, last);
      }
    }
    k += block;
  } while (k < depth);
}

}  // namespace

Floats::Floats(int64_t count) {
  const size_t bytes = std::max<size_t>(static_cast<size_t>(count) * sizeof(float), 64);
  void* data = nullptr;
  if (posix_memalign(&data, 64, bytes) != 0) throw std::bad_alloc();
  data_.reset(static_cast<float*>(data));
}

int64_t PackedWeights::PanelColumns() { return kTileColumns; }

int64_t PackedWeights::Panels(int64_t columns) { return CeilDiv(columns, kTileColumns); }

void Pack(const float* weights, int64_t depth, int64_t columns, float* packed) {
  ThreadPool::Get().For(PackedWeights::Panels(columns), [&](int64_t p) {
    const int64_t column = p * kTileColumns;
    const int64_t width = std::min<int64_t>(kTileColumns, columns - column);
    float* to = packed + p * depth * kTileColumns;
    for (int64_t k = 0; k < depth; k++, to += kTileColumns) {
      std::fill(std::copy_n(weights + k * columns + column, width, to), to + kTileColumns, 0.0f);
    }
  });
}

void Multiply(const float* x, int64_t rows, const PackedWeights& weights, const Finish& finish, float* y) {
  const int64_t panels = weights.panels();
  if (rows == 0 || panels == 0) return;
  const Floats bias(panels * kTileColumns);
  std::fill(std::copy_n(finish.bias, weights.columns, bias.data()), bias.data() + panels * kTileColumns, 0.0f);
  const Job job{x, weights, finish, bias.data(), y};
  // Several parts for each thread, since one may be held up by what else the machine does. Few rows are computed
  // together, so that weights are read once, and the panels are divided.
  ThreadPool& pool = ThreadPool::Get();
  const int64_t wanted = 6 * pool.threads();
  const int64_t row_parts = CeilDiv(rows, kBlockRows);
  const int64_t panel_parts = pool.threads() == 1 ? 1 : std::min(panels, CeilDiv(wanted, row_parts));
  pool.For(row_parts * panel_parts, [&](int64_t i) {
    const int64_t r = i / panel_parts;
    const int64_t p = i % panel_parts;
    job.Compute(Part(r, row_parts, rows), Part(r + 1, row_parts, rows), Part(p, panel_parts, panels),
                Part(p + 1, panel_parts, panels));
  });
}

}  // namespace graph_runtime
