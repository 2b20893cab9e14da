/** How a compared method is named and drawn; colours of Okabe and Ito (2008), which the colour-blind tell apart. */
export interface Method {
  title: string;
  color: string;
}

/** The same method looks the same in every figure. Names of recipes, and of the experiments' own variants of them. */
export function methodOf(name: string): Method {
  return methods[name] ?? { title: name, color: '#CC79A7' };
}

export const publishedColor = '#555555';

const blue = '#0072B2';
const vermilion = '#D55E00';
const green = '#009E73';
const sky = '#56B4E9';
const grey = '#7A7A7A';

const methods: Readonly<Record<string, Method>> = {
  'cross-entropy': { title: 'Cross-entropy', color: vermilion },
  sat: { title: 'SAT', color: blue },
  'sat-symmetric': { title: 'SAT, symmetric', color: green },
  selective: { title: 'Selective SAT, abstention', color: blue },
  trades: { title: 'TRADES', color: vermilion },
  robust: { title: 'TRADES + SAT', color: blue },
  pretrain: { title: 'Self-supervised SAT', color: blue },
  random: { title: 'Random encoder', color: grey },
  'selective-response': { title: 'Selective SAT, softmax response', color: sky },
  'softmax-response': { title: 'Cross-entropy, softmax response', color: vermilion },
};
