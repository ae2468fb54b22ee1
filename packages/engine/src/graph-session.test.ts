import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from './engine.ts';
import { encodeGraphDef, type GraphNode, type GraphTensor } from './graph-def.ts';
import { type GraphFeed, type GraphSession, openGraphSession } from './graph-session.ts';
import { findNative } from './installed.ts';

/** Graphs run on the native engine alone. */
const missing = (await findNative('cpu')).native === undefined;

const FLOAT = { type: 'float32' } as const;

function placeholder(name: string, shape?: readonly number[]): GraphNode {
  return { name, op: 'Placeholder', attributes: { dtype: FLOAT, shape: { shape } } };
}

function constant(name: string, tensor: GraphTensor): GraphNode {
  return { name, op: 'Const', attributes: { dtype: { type: tensor.dtype }, value: { tensor } } };
}

function node(op: string, name: string, ...inputs: string[]): GraphNode {
  return { name, op, inputs, attributes: { T: FLOAT } };
}

function floats(shape: readonly number[], values: readonly number[]): GraphTensor {
  return { dtype: 'float32', shape, data: new Float32Array(values) };
}

function feed(name: string, shape: readonly number[], values: readonly number[]): GraphFeed {
  return { name, ...floats(shape, values) };
}

const scalar = (name: string, value: number) => constant(name, floats([], [value]));

/** `y = x · x`, of any size. */
const SQUARE = [placeholder('x', [-1, -1]), node('MatMul', 'y', 'x', 'x')];

const opened: GraphSession[] = [];

function open(nodes: readonly GraphNode[], options = {}): GraphSession {
  const session = openGraphSession(encodeGraphDef(nodes), options);
  opened.push(session);
  return session;
}

describe('openGraphSession', () => {
  it('asks for the native engine', () => {
    expect(() => open(SQUARE)).toThrow('graphs run on the native engine alone');
  });
});

describe.skipIf(missing)('a graph session', () => {
  beforeAll(async () => {
    await openEngine({ engine: 'native', device: 'cpu' });
  });
  afterAll(async () => {
    await Promise.all(opened.map((session) => session.close()));
  });

  it.each([{}, { optimizer: false }, { threads: 1, interOpThreads: 2 }])(
    'multiplies matrices of any size, with %o',
    async (options) => {
      const session = open(SQUARE, options);
      expect(await session.run([feed('x', [2, 2], [1, 2, 3, 4])], ['y'])).toEqual([
        floats([2, 2], [7, 10, 15, 22]),
      ]);
      expect(await session.run([feed('x:0', [1, 1], [3])], ['y:0', 'y'])).toEqual([
        floats([1, 1], [9]),
        floats([1, 1], [9]),
      ]);
      expect(await session.run([feed('x', [0, 0], [])], ['y'])).toEqual([floats([0, 0], [])]);
    },
  );

  it.each<[string, GraphTensor]>([
    ['float32', floats([2], [1.5, -2])],
    ['int32', { dtype: 'int32', shape: [], data: new Int32Array([-7]) }],
    ['uint8', { dtype: 'uint8', shape: [1, 2], data: new Uint8Array([0, 255]) }],
    ['int64', { dtype: 'int64', shape: [1], data: new BigInt64Array([-(2n ** 62n)]) }],
    ['bool', { dtype: 'bool', shape: [2], data: new Uint8Array([1, 0]) }],
  ])('takes and gives %s', async (type, tensor) => {
    const dtype = { type: tensor.dtype };
    const session = open([
      { name: 'x', op: 'Placeholder', attributes: { dtype } },
      { name: 'y', op: 'Identity', inputs: ['x'], attributes: { T: dtype } },
      constant('c', tensor),
    ]);
    const results = await session.run([{ name: 'x', ...tensor }], ['y', 'c']);
    expect(results, type).toEqual([tensor, tensor]);
  });

  it('hands over arrays that are nobody else’s', async () => {
    const ones = new Float32Array(5000).fill(1);
    const session = open([
      placeholder('x'),
      node('Identity', 'same', 'x'),
      node('Neg', 'negative', 'x'),
      constant('c', { dtype: 'float32', shape: [5000], data: ones }),
    ]);
    const x = { name: 'x', dtype: 'float32', shape: [5000], data: ones } as const;
    const first = session.run([x], ['same', 'c', 'negative', 'negative']);
    ones.fill(2);
    for (const [index, sign] of [1, 1, -1, -1].entries()) {
      const { data } = (await first)[index]!;
      expect([data[0], data[4999]]).toEqual([sign, sign]);
      data.fill(0 as never);
    }
    expect((await session.run([], ['c']))[0]!.data[0]).toBe(1);
  });

  it('runs in order within a session, and several sessions at once', async () => {
    const sessions = [1, 2, 3].map(() => open(SQUARE));
    const ended: string[] = [];
    const runs = sessions.flatMap((session, s) =>
      [1, 2, 3].map(async (value, r) => {
        const [y] = await session.run([feed('x', [1, 1], [value])], ['y']);
        ended.push(`${s}:${r}`);
        return y!.data[0];
      }),
    );
    expect(await Promise.all(runs)).toEqual([1, 4, 9, 1, 4, 9, 1, 4, 9]);
    for (const s of [0, 1, 2]) {
      expect(ended.filter((name) => name.startsWith(`${s}`))).toEqual([`${s}:0`, `${s}:1`, `${s}:2`]);
    }
  });

  it('leaves the event loop free', async () => {
    const chain = Array.from({ length: 20 }, (_, i) => node('MatMul', `y${i + 1}`, `y${i}`, 'x'));
    const session = open([placeholder('x'), node('Identity', 'y0', 'x'), ...chain]);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await session.run(
      [{ name: 'x', dtype: 'float32', shape: [512, 512], data: new Float32Array(2 ** 18) }],
      ['y20'],
    );
    clearInterval(timer);
    expect(ticks).toBeGreaterThanOrEqual(1);
  });

  it('keeps variables from run to run', async () => {
    const variable = (name: string): GraphNode => ({
      name,
      op: 'VarHandleOp',
      attributes: { dtype: FLOAT, shape: { shape: [2] }, shared_name: { string: name } },
    });
    const withDtype = (op: string, name: string, ...inputs: string[]): GraphNode => ({
      name,
      op,
      inputs,
      attributes: { dtype: FLOAT },
    });
    const names = ['w', 'm', 'v'];
    const session = open([
      ...names.map(variable),
      constant('zeros', floats([2], [0, 0])),
      placeholder('start', [2]),
      ...names.map((name) =>
        withDtype('AssignVariableOp', `set-${name}`, name, name === 'w' ? 'start' : 'zeros'),
      ),
      { name: 'initialise', op: 'NoOp', inputs: names.map((name) => `^set-${name}`) },
      ...['beta1', 'beta2'].map((name) => placeholder(`${name}-power`, [])),
      scalar('rate', 0.1),
      scalar('beta1', 0.9),
      scalar('beta2', 0.999),
      scalar('epsilon', 1e-7),
      // The loss is the sum of squares.
      withDtype('ReadVariableOp', 'value', 'w'),
      node('AddV2', 'gradient', 'value', 'value'),
      node(
        'ResourceApplyAdam',
        'step',
        ...names,
        'beta1-power',
        'beta2-power',
        'rate',
        'beta1',
        'beta2',
        'epsilon',
        'gradient',
      ),
    ]);
    await expect(session.run([], ['value'])).rejects.toThrow(/w/);
    await session.run([feed('start', [2], [1, -2])], [], ['initialise']);
    for (const count of [1, 2]) {
      const powers = [feed('beta1-power', [], [0.9 ** count]), feed('beta2-power', [], [0.999 ** count])];
      expect(await session.run(powers, [], ['step'])).toEqual([]);
    }
    const [value] = await session.run([], ['value']);
    // Adam's first steps have the length of the rate, whatever the gradient.
    expect(value!.data[0]).toBeCloseTo(0.8, 2);
    expect(value!.data[1]).toBeCloseTo(-1.8, 2);
    const other = open([variable('w'), withDtype('ReadVariableOp', 'value', 'w')]);
    await expect(other.run([], ['value']), 'variables are of one session').rejects.toThrow(/w/);
  });

  const bad = (change: object) => ({ ...feed('x', [1, 2], [1, 2]), ...change }) as GraphFeed;
  it.each<[string, readonly GraphFeed[], readonly string[], RegExp]>([
    ['an unknown feed', [bad({ name: 'z' })], ['y'], /^graph: the graph has no node "z"\.$/],
    ['an unknown fetch', [], ['y:1'], /^graph: the graph has no output "y:1"\.$/],
    ['a fetch that is no output', [], ['y:one'], /no output "y:one"/],
    ['another dtype', [bad({ dtype: 'int32', data: new Int32Array(2) })], ['y'], /feed "x": .*another dtype/],
    ['an unknown dtype', [bad({ dtype: 'complex64' })], ['y'], /feed "x": there is no dtype "complex64"/],
    ['too little data', [bad({ data: new Float32Array(1) })], ['y'], /has 1 elements, .* asks for 2/],
    ['the wrong array', [bad({ data: new Float64Array(2) })], ['y'], /no typed array for float32/],
    ['a list', [bad({ data: [1, 2] })], ['y'], /no typed array/],
    ['a negative size', [bad({ shape: [-1, 2] })], ['y'], /bad size/],
    ['a huge shape', [bad({ shape: [2 ** 31 - 1, 2 ** 31 - 1, 4, 0] })], ['y'], /too large/],
    ['no shape', [bad({ shape: undefined })], ['y'], /shape is no array/],
    ['a shape that does not multiply', [bad({})], ['y'], /Matrix size-incompatible/],
    ['a rank that the graph excludes', [bad({ shape: [2] })], ['y'], /must be.*2|rank/i],
    ['a missing feed', [], ['y'], /must feed a value for placeholder/],
    ['a feed twice', [bad({}), bad({})], ['y'], /x:0/],
  ])('refuses %s', async (_name, feeds, fetches, message) => {
    const session = open(SQUARE);
    const failure = session.run(feeds, fetches);
    await expect(failure).rejects.toMatchObject({ name: 'AsMlpError', kind: 'engine' });
    await expect(failure).rejects.toThrow(message);
    expect(await session.run([feed('x', [1, 1], [2])], ['y'])).toEqual([floats([1, 1], [4])]);
  });

  it.each([
    ['no list of feeds', [undefined, ['y'], []]],
    ['feeds that are no objects', [[undefined], ['y'], []]],
    ['fetches that are no strings', [[], [1], []]],
    ['a target that is not there', [[], [], ['z']]],
    ['nothing to do', [[], [], []]],
  ])('refuses %s', async (_name, args) => {
    await expect(Reflect.apply(open(SQUARE).run, undefined, args)).rejects.toMatchObject({ kind: 'engine' });
  });

  it('refuses a graph that is none, and bad options', () => {
    expect(() => openGraphSession(new Uint8Array([1, 2, 3]))).toThrow(/^graph: Invalid GraphDef/);
    expect(() => open([node('MatMul', 'y', 'x', 'x')])).toThrow(/^graph: Node 'y': Unknown input node 'x'/);
    expect(() => open([node('MatMull', 'y')])).toThrow(/Op type not registered 'MatMull'/);
    for (const threads of [0, 1.5])
      expect(() => open(SQUARE, { threads })).toThrow('is no number of threads');
  });

  it('ends the run under way, fails those that wait, and refuses more once it is closed', async () => {
    const session = openGraphSession(encodeGraphDef(SQUARE));
    const x: GraphFeed = { name: 'x', dtype: 'float32', shape: [256, 256], data: new Float32Array(2 ** 16) };
    await session.run([x], ['y']);
    const runs = Array.from({ length: 50 }, () => session.run([x], ['y']));
    const outcomes = Promise.allSettled(runs);
    await Promise.all([session.close(), session.close()]);
    const failures = (await outcomes).filter((outcome) => outcome.status === 'rejected');
    for (const failure of failures)
      expect(failure.reason.message).toMatch(/was closed before this run began/);
    expect(failures.length).toBeGreaterThan(0);
    await session.close();
    await expect(session.run([x], ['y'])).rejects.toThrow('the session is closed');
  });

  it('bears being closed by the arguments that it reads', async () => {
    const session = openGraphSession(encodeGraphDef(SQUARE));
    const x = { ...feed('x', [1, 1], [1]) };
    Object.defineProperty(x, 'shape', {
      get: () => {
        void session.close();
        return [1, 1];
      },
    });
    await expect(session.run([x], ['y'])).rejects.toThrow('the session is closed');
    await session.close();
  });

  it('lets a process exit in the middle of a run', () => {
    const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    const script = `
      const { openEngine } = await import(${url('engine.ts')});
      const { openGraphSession } = await import(${url('graph-session.ts')});
      await openEngine({ engine: 'native', device: 'cpu' });
      const session = openGraphSession(Buffer.from('${Buffer.from(encodeGraphDef(SQUARE)).toString('base64')}', 'base64'));
      const x = { name: 'x', dtype: 'float32', shape: [1024, 1024], data: new Float32Array(2 ** 20) };
      await session.run([x], ['y']);
      for (let i = 0; i < 10; i++) session.run([x], ['y']);
      process.exit(3);`;
    const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const args = ['--import', loader, '--conditions=source', '--input-type=module', '--eval', script];
    const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', NODE_OPTIONS: '' };
    const result = spawnSync(process.execPath, args, { encoding: 'utf8', env });
    expect(result).toMatchObject({ status: 3, signal: null, stdout: '', stderr: '' });
  });

  it('frees what it took', async () => {
    const size = 2 ** 18;
    const graph = encodeGraphDef([
      placeholder('x'),
      constant('c', { dtype: 'float32', shape: [size], data: new Float32Array(size) }),
      node('AddV2', 'y', 'x', 'c'),
    ]);
    const x: GraphFeed = { name: 'x', dtype: 'float32', shape: [size], data: new Float32Array(size) };
    const cycle = async () => {
      const session = openGraphSession(graph);
      await session.run([x], ['y']);
      await session.close();
      // What the collector found is freed in a turn of its own.
      await sleep(0);
    };
    for (let i = 0; i < 100; i++) await cycle();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 200; i++) await cycle();
    // A cycle holds the constant, what is fed and what is fetched, 1 MB each: 200 MB if one of them stayed.
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
  });
});
