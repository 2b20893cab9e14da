import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** What set-up remembers between runs. It lies in node_modules, so that removing those starts afresh. */
const memoryFolder = path.join(root, 'node_modules', '.cache', 'winnow');

/** One line for people. */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

export function inRoot(...parts) {
  return path.join(root, ...parts);
}

/** @returns {any} what was remembered under this name, or null */
export function recall(name) {
  try {
    return JSON.parse(readFileSync(path.join(memoryFolder, `${name}.json`), 'utf8'));
  } catch {
    return null;
  }
}

export function remember(name, value) {
  mkdirSync(memoryFolder, { recursive: true });
  writeFileSync(path.join(memoryFolder, `${name}.json`), JSON.stringify(value));
}

/** A file of set-up's own, for reports of tools. */
export function memoryFile(name) {
  mkdirSync(memoryFolder, { recursive: true });
  return path.join(memoryFolder, name);
}
