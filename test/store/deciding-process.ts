import process from 'node:process';
import { openDatabase } from '../../src-main/store/database.ts';
import { decide } from '../../src-main/store/decisions.ts';

/* Decides on one sample after the other and prints each once it is answered as saved, until it is killed. */

const [file = '', samples = '0'] = process.argv.slice(2);
const db = openDatabase(file, { create: false });
for (let id = 1; id <= Number(samples); id++) {
  decide(db, {
    sampleIds: [id],
    decision: { kind: id % 2 === 0 ? 'confirm' : 'drop' },
    decidedAt: new Date().toISOString(),
  });
  process.stdout.write(`${id}\n`);
}
