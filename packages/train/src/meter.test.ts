import { describe, expect, it } from 'vitest';
import { createMeter } from './meter.ts';

describe('createMeter', () => {
  it('forecasts without the first update, and with evaluations', () => {
    const meter = createMeter();
    meter.step(8, 9000, 500);
    expect(meter.remaining(10, 0)).toBeUndefined();
    meter.step(8, 100, 0);
    meter.step(8, 300, 60);
    expect(meter.dataWait()).toBe(0.15);
    expect(meter.remaining(10, 3)).toBe(2);
    meter.evaluation(5000);
    expect(meter.remaining(10, 3)).toBe(17);
    expect(meter.imgPerSec()).toBe(40);
  });

  it('gives the rates of one lap', () => {
    const meter = createMeter();
    meter.step(8, 1000, 900);
    expect(meter.lap()).toEqual({ imgPerSec: 8, dataWait: 0.9 });
    meter.step(4, 300, 50);
    meter.step(4, 100, 50);
    expect(meter.lap()).toEqual({ imgPerSec: 20, dataWait: 0.25 });
    expect(meter.lap()).toEqual({ imgPerSec: 0, dataWait: 0 });
  });
});
