import { readFileSync } from 'node:fs';

/** Package names by family of Linux distributions; `other` is a plain description. */
export interface PackageNames {
  readonly debian: string;
  readonly fedora: string;
  readonly other: string;
}

/** The command that installs system packages on this machine, or `Install …` where it is not known. */
export function packageManagerHint(names: PackageNames, osRelease: string = readOsRelease()): string {
  const family = /^ID(?:_LIKE)?=(.*)$/gm;
  const ids = [...osRelease.matchAll(family)].map((match) => match[1] ?? '').join(' ');
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  if (/debian|ubuntu/.test(ids)) return `${sudo}apt-get install -y ${names.debian}`;
  if (/fedora|rhel|centos/.test(ids)) return `${sudo}dnf install -y ${names.fedora}`;
  return `install ${names.other}`;
}

function readOsRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}
