// A fake at the seam between service and trainer: it dies when it is to train, as a crashing driver would. TensorFlow and Node announce
// themselves before, as they do in every trainer.
import process from 'node:process';
import { playTrainer } from './trainer-fake.ts';

process.stderr.write(
  [
    'WARNING: All log messages before absl::InitializeLog() is called are written to STDERR',
    'I0000 00:00:1795581732.338830    3888 port.cc:153] oneDNN custom operations are on.',
    '(node:9724) [DEP0044] DeprecationWarning: The `util.isArray` API is deprecated.',
    '(Use `node --trace-deprecation ...` to show where the warning was created)',
    '',
  ].join('\n'),
);

playTrainer(() => {
  process.stderr.write('the driver is on fire\n');
  process.abort();
});
