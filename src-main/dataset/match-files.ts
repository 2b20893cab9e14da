/** As projects keep paths. Unicode is composed (NFC), because file systems and spreadsheets differ in it. */
export function normalizePath(name: string, folder: string): string {
  const slashed = name.trim().replaceAll('\\', '/').normalize();
  const root = `${folder.replaceAll('\\', '/').normalize().replace(/\/+$/, '')}/`;
  return (slashed.startsWith(root) ? slashed.slice(root.length) : slashed)
    .replace(/^(\.\/+)+/, '')
    .replace(/\/{2,}/g, '/');
}

export function fileNameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The names by which a file may be meant: with and without its extension. Unicode is composed. */
export function namesOf(path: string): string[] {
  const name = fileNameOf(path.normalize());
  return [...new Set([name, name.replace(/\.[^.]+$/, '')])];
}
