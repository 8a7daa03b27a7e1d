// The doctor's findings as lines for a person.

import type { Finding } from '../doctor/finding.ts';
import { count, plain } from './format.ts';

const MARKS: Readonly<Record<Finding['level'], string>> = {
  ok: 'ok     ',
  note: 'note   ',
  problem: 'PROBLEM',
};

export function doctorLines(findings: readonly Finding[]): string[] {
  const problems = findings.filter(({ level }) => level === 'problem').length;
  return [
    ...findings.flatMap(({ level, about, says, advice }) => [
      `${MARKS[level]}  ${about}: ${plain(says)}`,
      ...(advice === '' ? [] : [`           → ${plain(advice)}`]),
    ]),
    problems === 0 ? 'Nothing is wrong.' : `${count(problems, 'problem')} found.`,
  ];
}
