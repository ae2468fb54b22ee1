import { isFixed } from './dims.ts';
import type { Program, ProgramConstant, ProgramKernel, ProgramValue } from './program.ts';
import { eitherOrder, inputOf, ProgramView, replaceKernels } from './program-view.ts';
import type { ValueId } from './trace.ts';

/**
 * Products of matrices with a constant on the right, with what follows them – a bias, a GELU, the sum with a tensor of the
 * same shape – as `AsMlpLinear(x, weight, bias, residual)`. Reshapes around them that only regroup rows are left out.
 */
export function fuseLinear(program: Program): Program {
  return new LinearFusion(program).run();
}

/** What is left of a chain of kernels when they become one. */
interface Chain {
  /** The last of them, whose place and output the new one takes. */
  last: ProgramKernel;
  activation: 'none' | 'gelu';
  residual?: ValueId;
}

class LinearFusion {
  private readonly view: ProgramView;
  private readonly values: ProgramValue[];
  private readonly constants: ProgramConstant[];
  private readonly replacements = new Map<ProgramKernel, ProgramKernel>();
  /** Constants in another shape, by the constant and the shape, and zeros. */
  private readonly made = new Map<string, ValueId>();

  constructor(program: Program) {
    this.view = new ProgramView(program);
    this.values = [...program.values];
    this.constants = [...program.constants];
  }

  run(): Program {
    for (const kernel of this.view.program.kernels) this.fuseFrom(kernel);
    const { values, constants } = this;
    return replaceKernels({ ...this.view.program, values, constants }, this.replacements);
  }

  private fuseFrom(product: ProgramKernel): void {
    const { view } = this;
    const [rows, right] = [inputOf(product, 'a'), inputOf(product, 'b')];
    if (product.name !== 'BatchMatMul' || rows === undefined || right === undefined) return;
    const { transposeA, transposeB } = product.attrs;
    if (view.program.values[rows]!.dtype !== 'float32') return;
    const weight = this.constantMatrix(right);
    if (transposeA || transposeB || view.shape(rows).length !== 2 || weight === undefined) return;
    const columns = view.shape(right)[1] as number;

    const bias = this.biasAfter(product, columns);
    const first = bias?.add ?? product;
    const source = inputOf(view.producer(rows, 'Reshape'), 'x');
    const lead = source === undefined ? [] : view.shape(source).slice(0, -1);
    const regroups = source !== undefined && view.isSame(view.shape(source).at(-1)!, view.shape(rows)[1]!);
    const regrouped = regroups ? this.next(first, 'Reshape') : undefined;
    const isWhole = regrouped && view.isSameShape(view.shape(regrouped.outputs[0]!), [...lead, columns]);
    const chain = this.extend(isWhole ? regrouped : first);
    const inputs = {
      x: isWhole ? source! : rows,
      weight,
      bias: bias?.id ?? this.zeros(columns),
      ...(chain.residual === undefined ? {} : { residual: chain.residual }),
    };
    const attrs = { activation: chain.activation };
    this.replacements.set(chain.last, { name: 'AsMlpLinear', inputs, attrs, outputs: chain.last.outputs });
  }

  /** The next kernel, when nothing else uses the output of `kernel` and no other product has taken it. */
  private next(kernel: ProgramKernel, name: string): ProgramKernel | undefined {
    const user = this.view.onlyUser(kernel.outputs[0]!);
    return user?.name === name && !this.replacements.has(user) ? user : undefined;
  }

  private biasAfter(
    product: ProgramKernel,
    columns: number,
  ): { id: ValueId; add: ProgramKernel } | undefined {
    const add = this.next(product, 'Add');
    const pair = eitherOrder(add).find(([value]) => value === product.outputs[0]);
    if (!add || !pair || !this.view.constant(pair[1])) return undefined;
    return this.view.isSameShape(this.view.shape(pair[1]), [columns]) ? { id: pair[1], add } : undefined;
  }

  private extend(from: ProgramKernel): Chain {
    const { view } = this;
    const gelu = this.next(from, 'AsMlpGelu');
    const chain: Chain = { last: gelu ?? from, activation: gelu ? 'gelu' : 'none' };
    const add = this.next(chain.last, 'Add');
    const [value] = chain.last.outputs;
    const residual = eitherOrder(add).find(([one]) => one === value)?.[1];
    if (!add || residual === undefined) return chain;
    const isAlike = view.isSameShape(view.shape(residual), view.shape(value!));
    return isAlike && !view.constant(residual) ? { ...chain, last: add, residual } : chain;
  }

  /** A constant of two axes, for one or for what a reshape makes of one. */
  private constantMatrix(id: ValueId): ValueId | undefined {
    const shape = this.view.shape(id);
    if (shape.length !== 2 || !shape.every(isFixed)) return undefined;
    if (this.view.constant(id)) return id;
    const source = inputOf(this.view.producer(id, 'Reshape'), 'x');
    const constant = source === undefined ? undefined : this.view.constant(source);
    if (!constant || constant.kind === 'size') return undefined;
    return this.once(`${source} as [${shape}]`, () => this.addConstant({ ...constant, id: -1 }, shape));
  }

  private zeros(count: number): ValueId {
    const zeros: ProgramConstant = { kind: 'data', id: -1, data: new Float32Array(count) };
    return this.once(`${count} zeros`, () => this.addConstant(zeros, [count]));
  }

  private addConstant(constant: ProgramConstant, shape: ProgramValue['shape']): ValueId {
    const id = this.values.push({ shape, dtype: 'float32' }) - 1;
    this.constants.push({ ...constant, id });
    return id;
  }

  private once(key: string, make: () => ValueId): ValueId {
    const id = this.made.get(key) ?? make();
    this.made.set(key, id);
    return id;
  }
}
