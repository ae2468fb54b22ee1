import { AsMlpError, nearest } from '@as-mlp/base';
import type { Module } from '@as-mlp/nn';

/** What one pattern froze. */
export interface Frozen {
  readonly pattern: string;
  /** Names of the parameters. */
  readonly parameters: readonly string[];
}

/**
 * Freezes the parameters of `model` that `patterns` name. A pattern is the name of a module or parameter, or its beginning up
 * to a dot; `*` stands for any one part of a name, or a piece of it, and `**` for any number of parts. Buffers of frozen
 * batch norms stay too.
 *
 * @throws AsMlpError (usage) when a pattern names nothing, with the nearest name, or when nothing is left to train; nothing
 *   has changed then.
 */
export function freezeModules(model: Module, patterns: readonly string[]): Frozen[] {
  const parameters = [...model.namedParameters()];
  const frozen = patterns.map((pattern): Frozen => {
    const expression = toExpression(pattern);
    const names = parameters.map(([name]) => name).filter((name) => expression.test(name));
    if (names.length === 0) throw matchesNothing(pattern, model);
    return { pattern, parameters: names };
  });
  const names = new Set(frozen.flatMap((one) => one.parameters));
  if (names.size > 0 && parameters.every(([name, { trainable }]) => names.has(name) || !trainable)) {
    throw new AsMlpError('usage', {
      where: 'freeze',
      what: 'every parameter would be frozen, and nothing is left to train',
      fix: 'Name fewer modules',
    });
  }
  for (const [name, parameter] of parameters) if (names.has(name)) parameter.trainable = false;
  return frozen;
}

/** Matches a name, or its beginning up to a dot. */
function toExpression(pattern: string): RegExp {
  const parts = pattern.replace(/\.$/, '').split(/(\*\*|\*)/);
  const source = parts.map((part) =>
    part === '**' ? '.*' : part === '*' ? '[^.]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'),
  );
  return new RegExp(`^${source.join('')}(\\.|$)`);
}

function matchesNothing(pattern: string, model: Module): AsMlpError {
  const modules = [...model.namedModules()].map(([name]) => name).filter(Boolean);
  const names = [...modules, ...[...model.namedParameters()].map(([name]) => name)];
  const top = [...new Set(modules.map((name) => name.split('.')[0]!))];
  const guess = nearest(pattern, names);
  return new AsMlpError('usage', {
    where: 'freeze',
    what: `no parameter is called "${pattern}" or lies below it`,
    fix: guess ? `Did you mean "${guess}"` : `The modules at the top are ${top.join(', ')}`,
  });
}
