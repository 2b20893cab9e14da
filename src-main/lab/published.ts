import type { Table } from './table.ts';

/*
 * Numbers of the paper (Huang et al., NeurIPS 2020 and TPAMI 2022) beside which ours are set. They were measured on whole data
 * sets with large networks; ours, usually, were not.
 */

const cifar10Classes = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
] as const;

/** Whether published CIFAR-10 numbers are about these classes. */
export function isCifar10(classes: readonly string[]): boolean {
  return classes.length === cifar10Classes.length && cifar10Classes.every((name) => classes.includes(name));
}

/** Test accuracy of SAT in percent, by rate of uniform label noise. */
export const publishedNoise = {
  rates: [0.2, 0.4, 0.6, 0.8],
  accuracies: [
    { data: 'CIFAR-10', network: 'ResNet-34', values: [94.14, 92.64, 89.23, 78.58] },
    { data: 'CIFAR-10', network: 'WRN-28-10', values: [94.84, 93.23, 89.42, 80.13] },
    { data: 'CIFAR-100', network: 'ResNet-34', values: [75.77, 71.38, 62.69, 38.72] },
    { data: 'CIFAR-100', network: 'WRN-28-10', values: [77.71, 72.6, 64.87, 44.17] },
  ],
};

/** ResNet-34 on CIFAR-10: the row that figures show beside ours. */
export const publishedResNet = publishedNoise.accuracies[0]!;

export const publishedNoiseTable: Table = {
  name: 'published-noise',
  title: 'Published: test accuracy of SAT under uniform label noise (%)',
  columns: [
    { title: 'Data set', digits: 0 },
    { title: 'Network', digits: 0 },
    ...publishedNoise.rates.map((rate) => ({ title: `r = ${rate}`, digits: 2 })),
  ],
  rows: publishedNoise.accuracies.map(({ data, network, values }) => [data, network, ...values]),
};

/** Error in percent by coverage in percent, SAT against Deep Gamblers; VGG16-BN. */
export const publishedSelective = [
  { coverage: 100, cifar10: [6.05, 6.12], svhn: [2.75, 3.24], catsDogs: [3.01, 2.93] },
  { coverage: 95, cifar10: [3.37, 3.49], svhn: [0.96, 1.36], catsDogs: [1.25, 1.23] },
  { coverage: 90, cifar10: [1.93, 2.19], svhn: [0.6, 0.76], catsDogs: [0.59, 0.59] },
  { coverage: 85, cifar10: [1.15, 1.09], svhn: [0.45, 0.57], catsDogs: [0.25, 0.47] },
  { coverage: 80, cifar10: [0.67, 0.66], svhn: [0.43, 0.51], catsDogs: [0.15, 0.46] },
  { coverage: 75, cifar10: [0.44, 0.52], svhn: null, catsDogs: null },
  { coverage: 70, cifar10: [0.34, 0.43], svhn: null, catsDogs: null },
] as const;

export const publishedSelectiveTable: Table = {
  name: 'published-selective',
  title: 'Published: error at each coverage (%), VGG16-BN, SAT and Deep Gamblers',
  columns: [
    { title: 'Coverage (%)', digits: 0 },
    ...['CIFAR-10', 'SVHN', 'Dogs vs Cats'].flatMap((data) => [
      { title: `${data}, SAT`, digits: 2 },
      { title: `${data}, Deep Gamblers`, digits: 2 },
    ]),
  ],
  rows: publishedSelective.map(({ coverage, cifar10, svhn, catsDogs }) => [
    coverage,
    ...cifar10,
    ...(svhn ?? [null, null]),
    ...(catsDogs ?? [null, null]),
  ]),
};

/** Accuracy in percent on CIFAR-10 of WRN-34-10. */
const publishedRobust = [
  { method: 'TRADES', natural: 84.92, pgd: 56.68, autoAttack: 53.08 },
  { method: 'TRADES + SAT', natural: 83.48, pgd: 58.03, autoAttack: 53.29 },
] as const;

export const publishedRobustTable: Table = {
  name: 'published-robust',
  title: 'Published: accuracy on CIFAR-10 (%), WRN-34-10',
  columns: [
    { title: 'Method', digits: 0 },
    { title: 'Natural', digits: 2 },
    { title: 'PGD-20', digits: 2 },
    { title: 'AutoAttack', digits: 2 },
  ],
  rows: publishedRobust.map(({ method, natural, pgd, autoAttack }) => [method, natural, pgd, autoAttack]),
};
