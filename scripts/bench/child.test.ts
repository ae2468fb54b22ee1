import { afterEach, describe, expect, it } from 'vitest';
import { Child } from './child.ts';
import { peakMemory, watch } from './machine.ts';

const children: Child[] = [];
afterEach(() => Promise.all(children.splice(0).map((child) => child.close())));

/** A process that runs `body` for each line it is sent. */
function child(body: string): Child {
  const code = `require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { n } = JSON.parse(line);
    const answer = (answer) => console.log(JSON.stringify({ answer }));
    ${body}
  });`;
  const made = new Child({ command: process.execPath, args: ['-e', code] });
  children.push(made);
  return made;
}

describe('Child', () => {
  it('answers one request after the other, whatever else it prints', async () => {
    const doubling = child("console.log('chatter'); answer({ n: 2 * n });");
    expect(await doubling.ask({ n: 3 })).toEqual({ n: 6 });
    expect(await doubling.ask({ n: 4 })).toEqual({ n: 8 });
  });

  it('passes an error on and goes on', async () => {
    const odd = child("answer(n % 2 ? { n } : { error: 'even' });");
    await expect(odd.ask({ n: 2 })).rejects.toThrow('even');
    expect(await odd.ask({ n: 1 })).toEqual({ n: 1 });
  });

  it('tells what a process said that died', async () => {
    const dying = child("console.error('no memory'); process.exitCode = 3; process.stdin.destroy();");
    await expect(dying.ask({ n: 1 })).rejects.toThrow(/ended with 3\nno memory/);
  });

  it('tells of a program that is not there', async () => {
    const missing = new Child({ command: 'no-such-program-anywhere', args: [] });
    await expect(missing.ask({})).rejects.toThrow('no-such-program-anywhere');
    await missing.close();
  });
});

describe.skipIf(process.platform !== 'linux')('what Linux tells', () => {
  it('is the peak of a process, above what it holds', async () => {
    const hungry = child('Buffer.alloc(n * 2 ** 20, 1); answer({});');
    await hungry.ask({ n: 300 });
    expect(peakMemory(hungry.pid)).toBeGreaterThan(300);
  });

  it('is a share of the processors', async () => {
    const { value, others } = await watch([], async () => 7);
    expect(value).toBe(7);
    expect(others).toBeGreaterThanOrEqual(0);
  });
});
