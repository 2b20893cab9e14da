'use strict';

/*
 * Who may import whom (see docs/adr). A folder may import itself, what is listed beside it, Node's own modules where it runs
 * in Node, and type-only imports follow the same rule.
 */

const folders = {
  shared: { own: '^shared/', folders: [], packages: ['valibot'], node: false },
  domain: { own: '^src-main/domain/', folders: ['^shared/'], packages: [], node: false },
  sat: {
    own: '^src-main/sat/',
    folders: ['^shared/', '^src-main/domain/'],
    packages: ['@tensorflow/tfjs-core'],
    node: false,
  },
  engine: {
    own: '^src-main/engine/',
    folders: ['^shared/'],
    packages: ['@tensorflow/[^/]+', 'webgpu', 'valibot', 'tar', 'yauzl', 'node-api-headers'],
    node: true,
  },
  lab: {
    own: '^src-main/lab/',
    folders: ['^shared/', '^src-main/domain/', '^src-main/sat/'],
    packages: ['echarts', 'csv-stringify'],
    node: false,
  },
  trainer: {
    own: '^src-main/trainer/',
    folders: ['^shared/', '^src-main/domain/', '^src-main/sat/', '^src-main/engine/'],
    packages: ['@tensorflow/tfjs-core'],
    node: true,
  },
  dataset: {
    own: '^src-main/dataset/',
    folders: ['^shared/', '^src-main/domain/'],
    packages: ['sharp', 'csv-parse', 'csv-stringify'],
    node: true,
  },
  store: {
    own: '^src-main/store/',
    folders: ['^shared/'],
    packages: ['better-sqlite3', '@types/better-sqlite3'],
    node: true,
  },
  app: {
    own: '^src-main/app/',
    folders: ['^shared/', '^src-main/(domain|sat|lab|engine|dataset|store)/'],
    packages: ['[^/]+', '@[^/]+/[^/]+'],
    node: true,
  },
  renderer: {
    own: '^src-renderer/',
    folders: ['^shared/'],
    packages: ['svelte', '@lucide/svelte', 'valibot', 'vite', 'bits-ui', 'echarts', '@deck.gl/[^/]+', 'kdbush'],
    node: false,
  },
};

const importTable = Object.entries(folders).map(([name, rule]) => ({
  name: `imports-of-${name}`,
  comment: `${name} may import ${[...rule.folders, ...rule.packages].join(', ') || 'nothing'}.`,
  severity: 'error',
  from: { path: rule.own },
  to: {
    pathNot: [rule.own, ...rule.folders, ...rule.packages.map((packageName) => `node_modules/${packageName}/`)],
    ...(rule.node ? { dependencyTypesNot: ['core'] } : {}),
  },
}));

module.exports = {
  forbidden: [
    ...importTable,
    {
      name: 'app-knows-no-electron',
      severity: 'error',
      comment: 'The service runs in three hosts; only hosts/electron and its tests know Electron.',
      from: { pathNot: ['^src-main/hosts/electron/', '^test/'] },
      to: { path: 'node_modules/electron/' },
    },
    {
      name: 'nobody-imports-hosts',
      severity: 'error',
      comment: 'Hosts put the parts together; no part knows its host.',
      from: { path: '^(shared|src-main|src-renderer)/', pathNot: '^src-main/hosts/' },
      to: { path: '^src-main/hosts/' },
    },
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'not-to-dev-dep',
      severity: 'error',
      comment: 'What ships may not need a package that does not.',
      from: { path: '^(shared|src-main)/', pathNot: ['^src-main/setup/', '^src-main/hosts/electron/'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    },
    { name: 'product-knows-no-tests', severity: 'error', from: { pathNot: '^test/' }, to: { path: '^test/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['svelte', 'import', 'require', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json', '.svelte', '.d.ts'],
    },
  },
};
