// Operations for processors, registered with TensorFlow under names of this project.

#ifndef AS_MLP_OPS_OPS_H_
#define AS_MLP_OPS_OPS_H_

namespace graph_runtime {

// y = act(x · weight + bias) + residual. x [..., K], weight [K, N] or what AsMlpPack makes of that, bias [N], residual none
// or one [..., N].
void RegisterLinear();
// y = act(3×3 convolution of x · scale + bias), stride 1, zeros around. x [B, H, W, C], weight [9 · C, N] (rows and columns
// of the kernel, then C) as AsMlpPack packs it, bias [N], scale none or one [N].
void RegisterConvolution();
// y = act(x + bias) + residual, for a product x [..., N] in bfloat16 that TensorFlow computes; y is that or float.
void RegisterEpilogue();
// x [B, ..., C] normalised over all but its first axis with the biased variance, times gain [C], plus bias [C], then act.
// x and y are float or bfloat16.
// And its gradient without act: dx, d_gain and d_bias from x, gain and dy.
void RegisterGroupNorm();
// Groups of channels of x [B, H, W, C] moved along one axis: group g, which ends before channel ends[g], by
// displacements[g] cells towards larger indices; zeros come in. float or
// bfloat16.
void RegisterShift();
// The exact GELU of x, of any shape, and its gradient: dx from x and dy.
void RegisterGelu();
// RoIAlign with aligned corners and adaptive sampling: each of the regions [N, 5] (image, x0, y0, x1, y1 in pixels) cut out
// of the map [B, H, W, C] that fits its size and averaged to [N, size, size, C]; map i has a cell for every strides[i] pixels.
// And its gradient with respect to the maps, from rois, dy and the maps, whose sizes alone matter.
void RegisterRoiAlign();

// All of them, once in a process.
void RegisterOps();

}  // namespace graph_runtime

#endif  // AS_MLP_OPS_OPS_H_
