#include "thread-pool.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace graph_runtime {
namespace {

// Operations follow each other within some ten microseconds; waking a thread that sleeps takes longer.
constexpr std::chrono::microseconds kSpin(60);

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits without sleeping; false when it took too long.
template <typename Condition>
bool Spin(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 32; i++) {
      if (condition()) return true;
      Pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace

ThreadPool& ThreadPool::Get() {
  static ThreadPool* const pool = new ThreadPool;
  return *pool;
}

void ThreadPool::SetThreads(int count) {
  const std::lock_guard<std::mutex> lock(owner_);
  if (threads() > 1) return;
  for (int i = 1; i < count; i++) std::thread([this] { Serve(); }).detach();
  threads_ = std::max(1, count);
}

void ThreadPool::For(int64_t count, const std::function<void(int64_t)>& work) {
  const bool alone = threads() == 1 || count <= 1;
  std::unique_lock<std::mutex> owner(owner_, std::defer_lock);
  if (alone || !owner.try_lock()) {
    for (int64_t i = 0; i < count; i++) work(i);
    return;
  }
  work_ = &work;
  count_ = count;
  next_ = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    round_++;
  }
  started_.notify_all();
  Take(work, count);
  // Nobody joins from here on; those who did are waited for.
  round_++;
  const auto left = [this] { return joined_.load() == 0; };
  if (Spin(left)) return;
  std::unique_lock<std::mutex> lock(mutex_);
  left_.wait(lock, left);
}

void ThreadPool::Take(const std::function<void(int64_t)>& work, int64_t count) {
  for (int64_t i; (i = next_.fetch_add(1)) < count;) work(i);
}

void ThreadPool::Serve() {
  uint32_t seen = 0;
  for (;;) {
    const auto open = [&] {
      const uint32_t round = round_.load();
      return round % 2 == 1 && round != seen;
    };
    if (!Spin(open)) {
      std::unique_lock<std::mutex> lock(mutex_);
      started_.wait(lock, open);
    }
    // Joining first and looking again: the round may have ended in between, and its work be gone.
    joined_++;
    const uint32_t round = round_.load();
    if (round % 2 == 1 && round != seen) {
      seen = round;
      Take(*work_, count_);
    }
    if (--joined_ == 0) {
      const std::lock_guard<std::mutex> lock(mutex_);
      left_.notify_one();
    }
  }
}

}  // namespace graph_runtime
