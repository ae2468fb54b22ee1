// One TensorFlow session with a thread of its own. Knows nothing of JavaScript.

#ifndef AS_MLP_GRAPH_SESSION_H_
#define AS_MLP_GRAPH_SESSION_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tensorflow/c/c_api.h"

namespace graph_runtime {

// TensorFlow's objects with the function that frees them.
template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Tensor = std::unique_ptr<TF_Tensor, Freed<TF_DeleteTensor>>;
using Status = std::unique_ptr<TF_Status, Freed<TF_DeleteStatus>>;

// One run of a session: what goes in, and afterwards what came out or why nothing did.
struct Run {
  virtual ~Run() = default;
  std::vector<TF_Output> inputs;
  std::vector<Tensor> feeds;
  std::vector<TF_Output> outputs;
  std::vector<const TF_Operation*> targets;
  std::vector<Tensor> fetched;
  std::string error;
};

class GraphSession {
 public:
  // Called on the session's thread: with each run when it ended, and with nullptr when the session has.
  using Done = std::function<void(std::unique_ptr<Run>)>;

  // Both texts are serialized protocol buffers, read before this returns. Throws std::runtime_error.
  GraphSession(const void* graph_def, size_t graph_def_size, const void* config, size_t config_size);
  // The session has ended, or was never started.
  ~GraphSession();
  GraphSession(const GraphSession&) = delete;
  GraphSession& operator=(const GraphSession&) = delete;

  // An output of a node, by "node" or "node:index". Throws std::runtime_error when there is none.
  TF_Output Output(const std::string& name) const;
  // A node by its name. Throws std::runtime_error when there is none.
  TF_Operation* Operation(const std::string& name) const;

  void Start(Done done);
  // Runs follow each other in the order of these calls. Not after Close.
  void Enqueue(std::unique_ptr<Run> run);
  // Lets the run that is under way come to its end, fails those that wait, and ends the session.
  void Close();
  // Closes, breaks off the run that is under way as soon as its current operations end, and waits.
  void Abort();
  // Waits for the thread; it is about to return when Done has been called with nullptr.
  void Join();

 private:
  void Work();
  void Execute(Run* run);
  void FreeSession();

  std::unique_ptr<TF_Graph, Freed<TF_DeleteGraph>> graph_;
  TF_Session* session_ = nullptr;  // Only the thread runs and frees it.
  Done done_;
  std::thread thread_;
  std::mutex mutex_;  // Guards what follows, and that session_ is not freed meanwhile.
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Run>> waiting_;
  bool closing_ = false;
};

}  // namespace graph_runtime

#endif  // AS_MLP_GRAPH_SESSION_H_
