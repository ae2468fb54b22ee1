#include "graph-session.h"

#include <cstdlib>
#include <stdexcept>

namespace graph_runtime {

namespace {

void ThrowIfFailed(const Status& status) {
  if (TF_GetCode(status.get()) != TF_OK) throw std::runtime_error(TF_Message(status.get()));
}

}  // namespace

GraphSession::GraphSession(const void* graph_def, size_t graph_def_size, const void* config,
                           size_t config_size)
    : graph_(TF_NewGraph()) {
  const Status status(TF_NewStatus());
  const std::unique_ptr<TF_SessionOptions, Freed<TF_DeleteSessionOptions>> options(TF_NewSessionOptions());
  TF_SetConfig(options.get(), config, config_size, status.get());
  ThrowIfFailed(status);
  const std::unique_ptr<TF_ImportGraphDefOptions, Freed<TF_DeleteImportGraphDefOptions>> import(
      TF_NewImportGraphDefOptions());
  // A view and not a copy: weights can be large.
  const TF_Buffer bytes{graph_def, graph_def_size, nullptr};
  TF_GraphImportGraphDef(graph_.get(), &bytes, import.get(), status.get());
  ThrowIfFailed(status);
  session_ = TF_NewSession(graph_.get(), options.get(), status.get());
  ThrowIfFailed(status);
}

GraphSession::~GraphSession() {
  Join();
  FreeSession();
}

TF_Operation* GraphSession::Operation(const std::string& name) const {
  TF_Operation* operation = TF_GraphOperationByName(graph_.get(), name.c_str());
  if (operation == nullptr) throw std::runtime_error("the graph has no node \"" + name + "\"");
  return operation;
}

TF_Output GraphSession::Output(const std::string& name) const {
  const size_t colon = name.rfind(':');
  TF_Output output{Operation(name.substr(0, colon)), 0};
  if (colon != std::string::npos) {
    const std::string digits = name.substr(colon + 1);
    const bool valid =
        !digits.empty() && digits.size() < 7 && digits.find_first_not_of("0123456789") == std::string::npos;
    output.index = valid ? std::atoi(digits.c_str()) : -1;
  }
  if (output.index < 0 || output.index >= TF_OperationNumOutputs(output.oper)) {
    throw std::runtime_error("the graph has no output \"" + name + "\"");
  }
  return output;
}

void GraphSession::Start(Done done) {
  done_ = std::move(done);
  thread_ = std::thread([this] { Work(); });
}

void GraphSession::Enqueue(std::unique_ptr<Run> run) {
  const std::lock_guard<std::mutex> lock(mutex_);
  waiting_.push_back(std::move(run));
  changed_.notify_one();
}

void GraphSession::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closing_ = true;
  changed_.notify_one();
}

void GraphSession::Abort() {
  Close();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const Status status(TF_NewStatus());
    if (session_ != nullptr) TF_CloseSession(session_, status.get());
  }
  Join();
}

void GraphSession::Join() {
  if (thread_.joinable()) thread_.join();
}

void GraphSession::Work() {
  for (;;) {
    std::unique_ptr<Run> run;
    bool closing;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (waiting_.empty()) break;
      run = std::move(waiting_.front());
      waiting_.pop_front();
      closing = closing_;
    }
    if (closing) {
      run->error = "the session was closed before this run began";
    } else {
      Execute(run.get());
    }
    run->feeds.clear();
    done_(std::move(run));
  }
  FreeSession();
  done_(nullptr);
}

void GraphSession::Execute(Run* run) {
  std::vector<TF_Tensor*> feeds;
  for (const Tensor& feed : run->feeds) feeds.push_back(feed.get());
  std::vector<TF_Tensor*> fetched(run->outputs.size(), nullptr);
  const Status status(TF_NewStatus());
  TF_SessionRun(session_, nullptr, run->inputs.data(), feeds.data(), static_cast<int>(feeds.size()),
                run->outputs.data(), fetched.data(), static_cast<int>(fetched.size()), run->targets.data(),
                static_cast<int>(run->targets.size()), nullptr, status.get());
  for (TF_Tensor* tensor : fetched) run->fetched.emplace_back(tensor);
  if (TF_GetCode(status.get()) != TF_OK) run->error = TF_Message(status.get());
}

void GraphSession::FreeSession() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (session_ == nullptr) return;
  const Status status(TF_NewStatus());
  TF_CloseSession(session_, status.get());
  TF_DeleteSession(session_, status.get());
  session_ = nullptr;
  graph_.reset();
}

}  // namespace graph_runtime
