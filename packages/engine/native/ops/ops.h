// Operations for processors, registered with TensorFlow under names of this project.

#ifndef AS_MLP_OPS_OPS_H_
#define AS_MLP_OPS_OPS_H_

namespace graph_runtime {

// y = act(x · weight + bias) + residual. x [..., K], weight [K, N] or what AsMlpPack makes of that, bias [N], residual none
// or one [..., N].
void RegisterLinear();
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

// All of them, once in a process.
void RegisterOps();

}  // namespace graph_runtime

#endif  // AS_MLP_OPS_OPS_H_
