import { AsMlpError } from '@as-mlp/base';
import type { EngineName } from './choice.ts';
import { readCpuFlags } from './platform.ts';

/** What multiplies in bfloat16, as Linux names it. */
const BF16_FEATURES = ['avx512_bf16', 'amx_bf16'] as const;

/** Why an engine that is asked for bf16 keeps float32, in one line without a full stop; undefined where it does not. */
export function whyFloat32(
  { name, device }: { readonly name: EngineName; readonly device: 'cpu' | 'gpu' },
  cpuFlags: ReadonlySet<string> | undefined = readCpuFlags(),
): string | undefined {
  if (name !== 'native') return 'float32 is kept: bf16 needs the native engine';
  if (device === 'gpu') return 'float32 is kept: bf16 is for processors, and a GPU computes';
  if (BF16_FEATURES.some((feature) => cpuFlags?.has(feature))) return undefined;
  return `float32 is kept: this processor has neither ${BF16_FEATURES.join(' nor ')}`;
}

/** The error for bf16 where there is no such thing; `what` is there instead. */
export function bf16NotHere(what: string): AsMlpError {
  return new AsMlpError('usage', {
    where: 'precision bf16',
    what: `${what}, and bf16 needs the native engine on a processor`,
    fix: 'Leave the precision out',
  });
}
