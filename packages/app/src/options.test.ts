import { AsMlpError } from '@as-mlp/base';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import {
  addComputeOptions,
  addEngineOptions,
  applySettings,
  collect,
  imageSize,
  positiveNumber,
  wholeNumber,
  wholeNumbers,
} from './options.ts';

describe('numbers', () => {
  it('are whole and large enough', () => {
    expect(wholeNumber(1)('12')).toBe(12);
    expect(wholeNumber(0)('0')).toBe(0);
    for (const text of ['0', '-1', '1.5', '1e3', 'two', '', '9007199254740993']) {
      expect(() => wholeNumber(1)(text), text).toThrow('Give a whole number, 1 or more.');
    }
  });

  it('are above zero where they measure', () => {
    expect(positiveNumber('5e-4')).toBe(0.0005);
    for (const text of ['0', '-1', 'Infinity', 'fast', ' ']) {
      expect(() => positiveNumber(text), text).toThrow('Give a number above 0.');
    }
  });

  it('come in lists and as image sizes', () => {
    expect(wholeNumbers('1,8,32')).toEqual([1, 8, 32]);
    expect(() => wholeNumbers('1,,8')).toThrow('Give a whole number');
    expect(imageSize('224')).toEqual({ height: 224, width: 224 });
    expect(imageSize('480,640')).toEqual({ height: 480, width: 640 });
    expect(() => imageSize('1,2,3')).toThrow('Give one side, or height,width.');
  });
});

describe('addEngineOptions', () => {
  const parse = (...args: string[]) =>
    addEngineOptions(new Command().exitOverride().configureOutput({ writeErr: () => undefined }))
      .parse(args, { from: 'user' })
      .opts();

  it('reads engine, device and threads, and sets nothing of its own', () => {
    expect(parse()).toEqual({});
    expect(parse('--engine', 'wasm', '--device', 'cpu', '--threads', '2')).toEqual({
      engine: 'wasm',
      device: 'cpu',
      threads: 2,
    });
  });

  it('refuses what there is not', () => {
    expect(() => parse('--engine', 'cuda')).toThrow('Allowed choices are auto, native, onnx, wasm, cpu');
    expect(() => parse('--threads', '0')).toThrow('1 or more');
  });
});

describe('addComputeOptions', () => {
  const parse = (...args: string[]) =>
    addComputeOptions(new Command().exitOverride().configureOutput({ writeErr: () => undefined }))
      .parse(args, { from: 'user' })
      .opts();

  it('reads the precision beside the engine', () => {
    expect(parse('--precision', 'bf16', '--threads', '2')).toEqual({ precision: 'bf16', threads: 2 });
    expect(parse()).toEqual({});
    expect(() => parse('--precision', 'fp16')).toThrow('Allowed choices are float32, bf16');
  });
});

describe('applySettings', () => {
  it('sets values by path, as JSON where they are JSON', () => {
    const base = { epochs: 300, schedule: { kind: 'cosine', warmupEpochs: 20 } };
    const settings = [
      'epochs=2',
      'schedule.warmupEpochs=0.5',
      'lrBatch=null',
      'betas=[0.9,0.95]',
      'model=x=y',
    ];
    expect(applySettings(base, settings)).toEqual({
      epochs: 2,
      schedule: { kind: 'cosine', warmupEpochs: 0.5 },
      lrBatch: null,
      betas: [0.9, 0.95],
      model: 'x=y',
    });
    expect(base).toEqual({ epochs: 300, schedule: { kind: 'cosine', warmupEpochs: 20 } });
  });

  it('puts a section where there was a value, and the last setting wins', () => {
    expect(applySettings({ a: 1 }, ['a.b=2', 'a.b=3'])).toEqual({ a: { b: 3 } });
  });

  it('refuses what is no setting, and leaves every other object alone', () => {
    for (const text of ['epochs', '=3', 'a..b=1', '__proto__.x=1']) {
      expect(() => applySettings({}, [text]), text).toThrow(AsMlpError);
    }
    expect(applySettings({}, ['constructor.x=1'])).toEqual({ constructor: { x: 1 } });
    expect(Reflect.get(Object, 'x')).toBeUndefined();
  });
});

it('collect gathers a repeated option', () => {
  expect(collect('b', collect('a'))).toEqual(['a', 'b']);
});
