// `npm run docs`: writes what src/README.md shows of the machines.

import { readFileSync, writeFileSync } from 'node:fs';
import { withMachines } from '../chart/readme.ts';

const file = 'src/README.md';
const before = readFileSync(file, 'utf8');
const after = withMachines(before);
if (after !== before) writeFileSync(file, after);
process.stdout.write(after === before ? `${file} is as the machines are\n` : `${file}: drawings written\n`);
