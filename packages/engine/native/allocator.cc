// Linked into the addon: how the C library hands out the memory of tensors.
//
// glibc gives every block of 128 KiB and more (later up to 32 MiB) pages of its own and returns them on free, so that
// each tensor of each operation is paid for in page faults: a third of the time of a forward pass. With these limits
// freed blocks are kept and used again; only what lies free beyond a gibibyte goes back. The largest maps, of megapixels, still
// get pages of their own: among the smaller ones they would leave holes that fit nothing else. All threads take from one heap:
// with one for each, what a thread has freed would not serve the others.

#include <malloc.h>

namespace {

constexpr int kOwnPages = 48 << 20;
constexpr int kMostFree = 1 << 30;

__attribute__((constructor)) void KeepFreedBlocks() {
  mallopt(M_MMAP_THRESHOLD, kOwnPages);
  mallopt(M_TRIM_THRESHOLD, kMostFree);
  mallopt(M_ARENA_MAX, 1);
}

}  // namespace
