/** A figure as data: panels in a row that share a legend. */
export interface Figure {
  /** Name of its files. */
  name: string;
  title: string;
  panels: Panel[];
}

export interface Panel {
  /** Empty when the figure has one panel. */
  title: string;
  x: Axis;
  y: Axis;
  series: Series[];
  marks: Mark[];
}

/** A panel over the epochs of a training. */
export function epochPanel(title: string, yTitle: string, series: Series[], marks: Mark[]): Panel {
  return { title, x: { title: 'Epochs', scale: 'linear' }, y: { title: yTitle, scale: 'linear' }, series, marks };
}

/** Where targets begin to adapt. */
export function adaptationMark(startEpoch: number): Mark {
  return { axis: 'x', at: startEpoch, label: 'targets adapt', side: 'above' };
}

export interface Axis {
  /** With the unit. */
  title: string;
  scale: 'linear' | 'log2' | 'names';
  /** For `names`: those of the positions 0, 1, … */
  names?: string[];
}

export interface Series {
  name: string;
  /** CSS colour. */
  color: string;
  /** In order of x. */
  points: Point[];
  /** Published values, which were not measured here. */
  dashed: boolean;
  /** Whether points are shown; for few of them. */
  dots: boolean;
}

/** A mean with the least and the largest value behind it. */
export interface Point {
  x: number;
  y: number;
  low: number;
  high: number;
}

/** A labeled dashed line through the panel. */
export interface Mark {
  axis: 'x' | 'y';
  at: number;
  label: string;
  /** On which side of a horizontal line the label stands; that of a vertical one stands over the panel. */
  side: 'above' | 'below';
}
