import { AsMlpError } from '@as-mlp/base';
import type { GraphTensor } from './graph-def.ts';
import { graphRuntime, type NativeGraphSession } from './native.ts';
import { ProtobufWriter } from './protobuf.ts';

/** A tensor for an output of the graph: `node`, or `node:1` for its second output. */
export type GraphFeed = GraphTensor & { readonly name: string };

/** How a session runs its graph; everything may be left out. */
export interface GraphSessionOptions {
  /**
   * Threads that one operation may use, from 1. TensorFlow has one pool for them in a process: what is
   * loaded first decides, which is the engine.
   */
  readonly threads?: number;
  /** Operations that may run at the same time, from 1, in a pool of this session alone. */
  readonly interOpThreads?: number;
  /** Whether TensorFlow rewrites the graph before its first run: folds constants, fuses operations. Default true. */
  readonly optimizer?: boolean;
}

/** A graph that TensorFlow runs as a whole, on a thread of its own. */
export interface GraphSession {
  /**
   * Runs what `fetches` (outputs) and `targets` (nodes run for what they do) need. Feeds are copied at
   * once, so their arrays may be changed afterwards. Runs of one session follow each other in order; those
   * of several sessions overlap. Variables keep their values from run to run.
   *
   * @returns the fetched tensors, in the order of `fetches`; their arrays belong to the caller.
   * @throws AsMlpError `engine` for names, dtypes and shapes that do not fit the graph, for what TensorFlow
   * says while it runs, and when the session is closed.
   */
  run(
    feeds: readonly GraphFeed[],
    fetches: readonly string[],
    targets?: readonly string[],
  ): Promise<GraphTensor[]>;
  /**
   * Frees the session and its variables. The run that is under way comes to its end, those that wait fail.
   * May be called again.
   */
  close(): Promise<void>;
}

/**
 * Makes a session of the bytes of a `GraphDef`. The native engine must be open.
 *
 * @throws AsMlpError `engine` when the native engine is not open or TensorFlow refuses the graph; `usage` for
 * a bad number of threads.
 */
export function openGraphSession(graphDef: Uint8Array, options: GraphSessionOptions = {}): GraphSession {
  const config = encodeConfig(options);
  const runtime = graphRuntime();
  let session: NativeGraphSession;
  try {
    session = new runtime.GraphSession(graphDef, config);
  } catch (error) {
    throw graphError(error);
  }
  return {
    run: async (feeds, fetches, targets = []) => {
      try {
        return await session.run(feeds, fetches, targets);
      } catch (error) {
        throw graphError(error);
      }
    },
    close: () => session.close(),
  };
}

/** A `ConfigProto` (config.proto, rewriter_config.proto). */
function encodeConfig({ threads, interOpThreads, optimizer = true }: GraphSessionOptions): Uint8Array {
  const config = new ProtobufWriter();
  if (threads !== undefined) config.integer(2, threadCount('threads', threads));
  if (interOpThreads !== undefined) {
    // use_per_session_threads: otherwise the first session of the process decides.
    config.integer(5, threadCount('interOpThreads', interOpThreads)).integer(9, 1);
  }
  config.message(10, (graph) => {
    if (!optimizer) graph.message(3, (options) => options.integer(3, -1 /* L0 */));
    graph.message(10, (rewrite) => {
      // Graphs of fewer than four nodes would be left as they are.
      if (optimizer) rewrite.integer(17, -1 /* min_graph_nodes */);
      else rewrite.integer(19, 1 /* disable_meta_optimizer */);
    });
  });
  return config.finish();
}

function threadCount(where: string, count: number): number {
  if (Number.isInteger(count) && count >= 1 && count <= 1024) return count;
  const fix = 'Give a whole number from 1';
  throw new AsMlpError('usage', { where, what: `${count} is no number of threads`, fix });
}

/** TensorFlow's message in one line, without the full stop. */
function graphError(cause: unknown): AsMlpError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const what = message.replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '').slice(0, 1000);
  return new AsMlpError('engine', { where: 'graph', what, cause });
}
