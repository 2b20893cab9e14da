// The real trainer, which kills itself without warning as often as a file says: it holds, for each trainer that is told to train, how many
// epochs it may report and how many milliseconds it has to live from then on. Each takes one.
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout } from 'node:timers';
import type { TrainerCommand, TrainerEvent } from '../../shared/trainer-protocol.ts';
import '../../src-main/trainer/main.ts';

interface Life {
  epochs: number;
  milliseconds: number;
}

process.on('message', ({ kind }: TrainerCommand) => {
  const file = process.env['MORTAL_TRAINER_LIVES'];
  if (kind !== 'train' || file === undefined) return;
  const [own, ...others] = JSON.parse(readFileSync(file, 'utf8')) as Life[];
  writeFileSync(file, JSON.stringify(others));
  if (own === undefined) return;
  let { epochs } = own;
  const send = process.send!.bind(process);
  process.send = (event: TrainerEvent) => {
    if (event.kind === 'epoch' && --epochs === 0)
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), own.milliseconds);
    return send(event);
  };
});
