import { readFileSync } from 'node:fs';
import type { GraphNode } from './tensorflow-graph.ts';
import type { TensorflowBinding } from './tensorflow.ts';

/*
 * Mixed precision on the CPU (ADR 21): convolutions and their gradients multiply bfloat16 and add float32. The rest, parameters and
 * optimizer included, stays float32. bfloat16 has the range of float32, so that no loss needs scaling (Kalamkar et al. 2019, "A Study of
 * BFLOAT16 for Deep Learning Training").
 */

/** Which inputs are converted; the output is bfloat16 then. The other input of a gradient is a shape. */
const converted: Readonly<Record<string, readonly number[]>> = {
  Conv2D: [0, 1],
  Conv2DBackpropFilter: [0, 2],
  Conv2DBackpropInput: [1, 2],
};

/** As TensorFlow counts types; the binding has no name for it. */
const bfloat16 = 14;

/** Instructions that multiply bfloat16, as Linux names them. */
const instructions = ['avx512_bf16', 'amx_bf16'];

/** Whether this processor multiplies bfloat16 itself; without that, converting costs more than is gained. Known on Linux alone. */
export function multipliesBfloat16(cpuinfo = '/proc/cpuinfo'): boolean {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync(cpuinfo, 'utf8'))?.[1]?.split(' ') ?? [];
    return instructions.some((instruction) => flags.includes(instruction));
  } catch {
    return false;
  }
}

/** The same graph with its convolutions in bfloat16. Names stay: what a convolution's was is the float32 that its output becomes. */
export function inBfloat16(binding: TensorflowBinding, nodes: readonly GraphNode[]): GraphNode[] {
  const typeOf = (name: string, value: number) => ({ name, type: binding.TF_ATTR_TYPE, value });
  const cast = (name: string, input: string, from: number, to: number): GraphNode => ({
    name,
    operation: 'Cast',
    inputs: [input],
    attributes: [typeOf('SrcT', from), typeOf('DstT', to)],
  });
  const changed: GraphNode[] = [];
  /** By the place of a float32 tensor, that of its bfloat16: made once for all who read it. */
  const halves = new Map<string, string>();
  const halfOf = (place: string): string => {
    const known = halves.get(place);
    if (known !== undefined) return known;
    const name = `${place.replace(':', '_')}_half`;
    changed.push(cast(name, place, binding.TF_FLOAT, bfloat16));
    halves.set(place, `${name}:0`);
    return `${name}:0`;
  };
  for (const node of nodes) {
    const places = converted[node.operation];
    if (places === undefined) {
      changed.push(node);
      continue;
    }
    const name = `${node.name}_product`;
    const inputs = node.inputs.map((place, index) => (places.includes(index) ? halfOf(place) : place));
    const attributes = node.attributes?.map((each) => (each.name === 'T' ? typeOf('T', bfloat16) : each)) ?? [];
    changed.push({ ...node, name, inputs, attributes }, cast(node.name, `${name}:0`, bfloat16, binding.TF_FLOAT));
  }
  return changed;
}
