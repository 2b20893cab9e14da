import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  test: {
    include: ['test/**/*.test.ts'],
    // Native addons and a backend per process: one file, one process.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What a window shows may take longer than the usual second on a machine that runs two files at once.
    expect: { poll: { timeout: 10_000 } },
  },
});
