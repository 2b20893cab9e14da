import type { EngineFacts, ExperimentName, LabPreset, TrainingResult } from './experiment.ts';
import { tableToMarkdown, type Table } from './table.ts';

/** Everything about an experiment that was run, as `report.json` has it. */
export interface LabReport {
  experiment: ExperimentName;
  sentence: string;
  /** Of Winnow. */
  version: string;
  command: string;
  /** With what was set by hand. */
  preset: LabPreset;
  /** What computed; several when they differ between trainings. */
  engines: EngineFacts[];
  data: DataFacts;
  trainings: TrainingResult[];
  /** Names of trainings that were not run yet. */
  missing: string[];
  tables: Table[];
  figures: { name: string; title: string }[];
  findings: string[];
  /** Of all trainings, whenever they were run. */
  seconds: number;
}

export interface DataFacts {
  classes: string[];
  samples: number;
  testSamples: number;
  /** Hash of the decoded pixels and the true labels of all images used. */
  fingerprint: string;
}

/** The report for people: findings, figures, tables beside the published ones, and how to repeat it. */
export function reportMarkdown(report: LabReport): string {
  const { experiment, sentence, preset, engines, data, missing, tables, figures, findings } = report;
  const total = report.trainings.length + missing.length;
  const paragraphs = [
    `# winnow lab ${experiment}`,
    sentence,
    ...(missing.length === 0
      ? []
      : [
          `**Unfinished**: ${report.trainings.length} of ${total} trainings are done. The command below goes on where it was left.`,
        ]),
    '## Findings',
    findings.length === 0 ? 'None yet.' : findings.map((finding) => `- ${finding}`).join('\n'),
    ...figures.map(({ name, title }) => `![${title}](${name}.svg)`),
    ...tables.flatMap((table) => [`## ${table.title}`, tableToMarkdown(table)]),
    'Numbers are means ± standard deviations over the seeds. Bands in the figures reach from the least to the largest value of the seeds.',
    '## How it was run',
    [
      `- Preset \`${preset.name}\`: ${preset.source}`,
      `- Seeds: ${preset.seeds.join(', ')}`,
      `- ${data.samples} training and ${data.testSamples} held-out images of ${data.classes.length} classes (${data.classes.join(', ')}); fingerprint ${data.fingerprint}`,
      `- ${enginesText(engines)}; ${Math.round(report.seconds)} s of training in all`,
      `- Winnow ${report.version}`,
    ].join('\n'),
    `\`\`\`sh\n${report.command}\n\`\`\``,
    'Settings common to all trainings; `report.json` has those of each, and its curves:',
    `\`\`\`json\n${JSON.stringify(preset.settings, null, 2)}\n\`\`\``,
  ];
  return `${paragraphs.join('\n\n')}\n`;
}

function enginesText(engines: readonly EngineFacts[]): string {
  const texts = engines.map(({ name, version, device }) => `${name} ${version}, ${device}`);
  return texts.length === 1
    ? texts[0]!
    : `Not everywhere the same engine (\`report.json\` has that of each training): ${texts.join('; ')}`;
}
