// A few threads that share the work of one operation at a time.

#ifndef AS_MLP_OPS_THREAD_POOL_H_
#define AS_MLP_OPS_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

namespace graph_runtime {

class ThreadPool {
 public:
  // The pool of the process. It lives as long as the process does: its threads may sleep when that exits.
  static ThreadPool& Get();

  // How many threads work, the caller of For among them; from 1. The first call decides.
  void SetThreads(int count);
  int threads() const { return threads_.load(std::memory_order_relaxed); }

  // work(0) … work(count - 1), each once, in any order and at the same time; returns when all are done. While the
  // pool works for somebody else, the caller does it all.
  void For(int64_t count, const std::function<void(int64_t)>& work);

 private:
  void Serve();
  void Take(const std::function<void(int64_t)>& work, int64_t count);

  std::atomic<int> threads_{1};
  std::mutex owner_;  // Held by whom the pool works for.

  // One round of work. Even while it is prepared, odd while threads may join.
  std::atomic<uint32_t> round_{0};
  std::atomic<int> joined_{0};
  const std::function<void(int64_t)>* work_ = nullptr;
  int64_t count_ = 0;
  std::atomic<int64_t> next_{0};

  std::mutex mutex_;  // For the two conditions alone.
  std::condition_variable started_;
  std::condition_variable left_;
};

}  // namespace graph_runtime

#endif  // AS_MLP_OPS_THREAD_POOL_H_
