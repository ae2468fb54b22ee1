import { AsMlpError } from '@as-mlp/base';

const LONGEST_QUOTE = 80;

/** An error about bytes that cannot be what the writer meant: cut off, altered, or contradictory. */
export function damaged(where: string, what: string, cause?: unknown): AsMlpError {
  return new AsMlpError('weights', {
    where,
    what,
    fix: 'The file is damaged or was made to mislead: download it or save it again',
    cause,
  });
}

/** An error about content that this reader understands and does not take. */
export function unsupported(where: string, what: string, fix: string): AsMlpError {
  return new AsMlpError('weights', { where, what, fix });
}

/** An error about a file that asks for program code to be run. Nothing was run. */
export function refusedCode(where: string, name: string): AsMlpError {
  return new AsMlpError('weights', {
    where,
    what: `asks for ${quote(name)}, which is program code, not data; nothing of it was run`,
    fix: 'Do not trust this file. If it is your own, save only the weights: torch.save(model.state_dict(), path)',
  });
}

/** Text from a file, safe to print: shortened, on one line, control characters escaped. */
export function quote(text: string): string {
  const short = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
  return JSON.stringify(short).replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
