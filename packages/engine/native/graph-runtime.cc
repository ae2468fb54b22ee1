// The Node-API side of graph sessions:
//   session = new GraphSession(graphDef, config)   both Uint8Array, serialized protocol buffers
//   session.run(feeds, fetches, targets)           Promise of tensors { dtype, shape, data }
//   session.close()                                Promise of undefined
//   setThreads(count)                              how many threads compute one operation of ops/
//   free(array)                                    frees the memory of a typed array, which is empty afterwards
//   trim()                                         gives freed memory back to the system
//   stop()                                         breaks off every session, before the process exits
// A run takes no thread of libuv's pool, which decoders need. What is wrong with arguments is thrown; what
// TensorFlow says of a run rejects its promise.

#include <malloc.h>
#include <node_api.h>

#include <set>
#include <stdexcept>

#include "graph-session.h"
#include "graph-values.h"
#include "ops/ops.h"
#include "ops/thread-pool.h"

namespace graph_runtime {
namespace {

constexpr char kClosed[] = "the session is closed";

// A session and its standing in one JavaScript environment; all but `session` belongs to the main thread.
struct Handle {
  napi_env env = nullptr;
  std::unique_ptr<GraphSession> session;
  napi_threadsafe_function settle = nullptr;
  // Runs and closings whose promises are not settled; they keep the process alive.
  int pending = 0;
  bool closing = false;
  bool ended = false;
  std::vector<napi_deferred> closings;
  // The serialized graph, as a measure of what the session holds.
  int64_t size = 0;
};

// The sessions of one environment that have not ended.
using OpenSessions = std::set<Handle*>;

OpenSessions* OpenIn(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return static_cast<OpenSessions*>(data);
}

struct PendingRun : Run {
  napi_deferred deferred = nullptr;
  // Keeps the session from being collected meanwhile.
  napi_ref self = nullptr;
};

// An entry from JavaScript: a C++ exception becomes one of JavaScript, unless there is one already.
template <auto Body>
napi_value Entry(napi_env env, napi_callback_info info) {
  try {
    return Body(env, info);
  } catch (const std::exception& error) {
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (!pending) napi_throw_error(env, nullptr, error.what());
    return nullptr;
  }
}

void Reject(napi_env env, napi_deferred deferred, const std::string& why) {
  napi_value text, error;
  napi_create_string_utf8(env, why.data(), why.size(), &text);
  napi_create_error(env, nullptr, text, &error);
  napi_reject_deferred(env, deferred, error);
}

void Resolve(napi_env env, PendingRun* run) {
  try {
    if (!run->error.empty()) throw std::runtime_error(run->error);
    napi_value results;
    Check(env, napi_create_array_with_length(env, run->fetched.size(), &results));
    for (size_t i = 0; i < run->fetched.size(); i++) {
      napi_value result = FromTensor(env, std::move(run->fetched[i]));
      Check(env, napi_set_element(env, results, static_cast<uint32_t>(i), result));
    }
    Check(env, napi_resolve_deferred(env, run->deferred, results));
  } catch (const std::exception& error) {
    Reject(env, run->deferred, error.what());
  }
}

// One more promise to settle, or one less: the process may end only when there is none.
void CountPending(Handle* handle, int change) {
  const bool idle = handle->pending == 0;
  handle->pending += change;
  if (idle && handle->pending > 0) napi_ref_threadsafe_function(handle->env, handle->settle);
  if (!idle && handle->pending == 0) napi_unref_threadsafe_function(handle->env, handle->settle);
}

// When the environment goes away, as that of a worker does: whatever runs is broken off, since nobody can be told.
void OnExit(void* data) { static_cast<Handle*>(data)->session->Abort(); }

void OnEnded(Handle* handle) {
  napi_env env = handle->env;
  handle->session.reset();
  handle->ended = true;
  OpenIn(env)->erase(handle);
  napi_remove_env_cleanup_hook(env, OnExit, handle);
  int64_t total;
  napi_adjust_external_memory(env, -handle->size, &total);
  napi_value nothing;
  napi_get_undefined(env, &nothing);
  for (napi_deferred closing : handle->closings) {
    napi_resolve_deferred(env, closing, nothing);
    CountPending(handle, -1);
  }
  handle->closings.clear();
  napi_release_threadsafe_function(handle->settle, napi_tsfn_release);
}

// On the main thread, for whatever the session's thread is done with.
void OnDone(napi_env env, napi_value, void* context, void* data) {
  const std::unique_ptr<PendingRun> run(static_cast<PendingRun*>(static_cast<Run*>(data)));
  Handle* handle = static_cast<std::shared_ptr<Handle>*>(context)->get();
  if (env == nullptr) return;  // The environment is going away.
  if (!run) return OnEnded(handle);
  Resolve(env, run.get());
  napi_delete_reference(env, run->self);
  CountPending(handle, -1);
}

void Start(napi_env env, const std::shared_ptr<Handle>& handle) {
  napi_value name;
  Check(env, napi_create_string_utf8(env, "GraphSession", NAPI_AUTO_LENGTH, &name));
  auto* context = new std::shared_ptr<Handle>(handle);
  const auto free = [](napi_env, void*, void* owned) { delete static_cast<std::shared_ptr<Handle>*>(owned); };
  const napi_status status = napi_create_threadsafe_function(
      env, nullptr, nullptr, name, 0, 1, nullptr, free, context, OnDone, &handle->settle);
  if (status != napi_ok) delete context;
  Check(env, status);
  napi_unref_threadsafe_function(env, handle->settle);
  // Later hooks run first, so the session has ended before its threadsafe function is torn down.
  napi_add_env_cleanup_hook(env, OnExit, handle.get());
  OpenIn(env)->insert(handle.get());
  int64_t total;
  napi_adjust_external_memory(env, handle->size, &total);
  handle->session->Start([settle = handle->settle](std::unique_ptr<Run> run) {
    Run* data = run.release();
    const auto status = napi_call_threadsafe_function(settle, data, napi_tsfn_nonblocking);
    if (status != napi_ok) delete data;
  });
}

void RequestClose(Handle* handle) {
  if (!handle->closing) handle->session->Close();
  handle->closing = true;
}

void OnCollected(napi_env, void* data, void*) {
  const std::unique_ptr<std::shared_ptr<Handle>> handle(static_cast<std::shared_ptr<Handle>*>(data));
  RequestClose(handle->get());
}

// The arguments of a call and the session that it is made on.
struct Call {
  napi_value self = nullptr;
  napi_value args[3] = {};
  Handle* handle = nullptr;
};

Call ReadCall(napi_env env, napi_callback_info info) {
  Call call;
  size_t count = 3;
  Check(env, napi_get_cb_info(env, info, &count, call.args, &call.self, nullptr));
  void* data = nullptr;
  if (napi_unwrap(env, call.self, &data) == napi_ok) {
    call.handle = static_cast<std::shared_ptr<Handle>*>(data)->get();
  }
  return call;
}

napi_value Construct(napi_env env, napi_callback_info info) {
  const Call call = ReadCall(env, info);
  napi_value target;
  Check(env, napi_get_new_target(env, info, &target));
  if (target == nullptr || call.handle != nullptr) throw std::runtime_error("GraphSession is made with new");
  const auto [graph, graph_size] = ToBytes(env, call.args[0], "the graph");
  const auto [config, config_size] = ToBytes(env, call.args[1], "the configuration");
  auto handle = std::make_shared<Handle>();
  handle->env = env;
  handle->session = std::make_unique<GraphSession>(graph, graph_size, config, config_size);
  handle->size = static_cast<int64_t>(graph_size);
  auto wrapped = std::make_unique<std::shared_ptr<Handle>>(handle);
  Start(env, handle);
  const napi_status status = napi_wrap(env, call.self, wrapped.get(), OnCollected, nullptr, nullptr);
  if (status == napi_ok) {
    wrapped.release();
  } else {
    RequestClose(handle.get());
  }
  Check(env, status);
  return call.self;
}

napi_value RunGraph(napi_env env, napi_callback_info info) {
  const Call call = ReadCall(env, info);
  if (call.handle == nullptr) throw std::runtime_error("this is no session");
  auto run = std::make_unique<PendingRun>();
  std::vector<std::string> feeds, fetches, targets;
  ForEach(env, call.args[0], "the list of feeds", [&](napi_value feed) {
    feeds.push_back(ToString(env, Property(env, feed, "name"), "the name of a feed"));
    run->feeds.push_back(ToTensor(env, feed, feeds.back()));
  });
  ForEach(env, call.args[1], "the list of fetches", [&](napi_value fetch) {
    fetches.push_back(ToString(env, fetch, "the name of a fetch"));
  });
  ForEach(env, call.args[2], "the list of targets", [&](napi_value target) {
    targets.push_back(ToString(env, target, "the name of a target"));
  });
  // Reading the arguments may have run code of the caller's, which may have closed the session.
  if (call.handle->closing) throw std::runtime_error(kClosed);
  GraphSession& session = *call.handle->session;
  for (size_t i = 0; i < feeds.size(); i++) {
    run->inputs.push_back(session.Output(feeds[i]));
    if (TF_OperationOutputType(run->inputs[i]) != TF_TensorType(run->feeds[i].get())) {
      throw std::runtime_error("feed \"" + feeds[i] + "\": the graph has another dtype there");
    }
  }
  for (const std::string& name : fetches) run->outputs.push_back(session.Output(name));
  for (const std::string& name : targets) run->targets.push_back(session.Operation(name));
  napi_value promise;
  Check(env, napi_create_reference(env, call.self, 1, &run->self));
  Check(env, napi_create_promise(env, &run->deferred, &promise));
  CountPending(call.handle, 1);
  session.Enqueue(std::move(run));
  return promise;
}

napi_value CloseSession(napi_env env, napi_callback_info info) {
  const Call call = ReadCall(env, info);
  if (call.handle == nullptr) throw std::runtime_error("this is no session");
  napi_deferred deferred;
  napi_value promise, nothing;
  Check(env, napi_create_promise(env, &deferred, &promise));
  if (call.handle->ended) {
    Check(env, napi_get_undefined(env, &nothing));
    Check(env, napi_resolve_deferred(env, deferred, nothing));
    return promise;
  }
  call.handle->closings.push_back(deferred);
  CountPending(call.handle, 1);
  RequestClose(call.handle);
  return promise;
}

napi_value SetThreads(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int32_t threads = 0;
  Check(env, napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr));
  if (napi_get_value_int32(env, argument, &threads) != napi_ok || threads < 1 || threads > 1024) {
    throw std::runtime_error("this is no number of threads");
  }
  ThreadPool::Get().SetThreads(threads);
  return nullptr;
}

// Results hold memory that the garbage collector does not see in time: large maps of several runs would pile up.
napi_value Free(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, buffer;
  Check(env, napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr));
  if (napi_get_typedarray_info(env, argument, nullptr, nullptr, nullptr, &buffer, nullptr) != napi_ok) {
    throw std::runtime_error("this is no typed array");
  }
  Check(env, napi_detach_arraybuffer(env, buffer));
  return nullptr;
}

// The allocator of the addon keeps what was freed; after something unusually large that is too much.
napi_value Trim(napi_env, napi_callback_info) {
  malloc_trim(0);
  return nullptr;
}

// A process that exits runs no clean-up hooks, and frees TensorFlow under the feet of what still runs.
napi_value Stop(napi_env env, napi_callback_info) {
  for (Handle* handle : *OpenIn(env)) {
    handle->closing = true;
    handle->session->Abort();
  }
  return nullptr;
}

}  // namespace

napi_value Register(napi_env env, napi_value exports) {
  RegisterOps();
  const napi_property_descriptor methods[] = {
      {"run", nullptr, Entry<RunGraph>, nullptr, nullptr, nullptr, napi_default_method, nullptr},
      {"close", nullptr, Entry<CloseSession>, nullptr, nullptr, nullptr, napi_default_method, nullptr},
  };
  const auto free = [](napi_env, void* data, void*) { delete static_cast<OpenSessions*>(data); };
  Check(env, napi_set_instance_data(env, new OpenSessions, free, nullptr));
  napi_value session, set_threads, free_array, trim, stop;
  Check(env, napi_create_function(env, "setThreads", NAPI_AUTO_LENGTH, Entry<SetThreads>, nullptr, &set_threads));
  Check(env, napi_set_named_property(env, exports, "setThreads", set_threads));
  Check(env, napi_create_function(env, "free", NAPI_AUTO_LENGTH, Entry<Free>, nullptr, &free_array));
  Check(env, napi_set_named_property(env, exports, "free", free_array));
  Check(env, napi_create_function(env, "trim", NAPI_AUTO_LENGTH, Trim, nullptr, &trim));
  Check(env, napi_set_named_property(env, exports, "trim", trim));
  Check(env, napi_create_function(env, "stop", NAPI_AUTO_LENGTH, Stop, nullptr, &stop));
  Check(env, napi_set_named_property(env, exports, "stop", stop));
  Check(env, napi_define_class(env, "GraphSession", NAPI_AUTO_LENGTH, Entry<Construct>, nullptr, 2, methods,
                               &session));
  Check(env, napi_set_named_property(env, exports, "GraphSession", session));
  return exports;
}

}  // namespace graph_runtime

NAPI_MODULE_INIT() {
  try {
    return graph_runtime::Register(env, exports);
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
    return nullptr;
  }
}
