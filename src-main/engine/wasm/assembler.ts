/*
 * A small assembler: WebAssembly's instructions as functions that return their bytes, so that a kernel is written as nested
 * calls and unrolled by ordinary loops. It knows the instructions that the kernels use and no others.
 * Opcodes: https://webassembly.github.io/spec/core/binary/instructions.html
 */

export type ValueType = 'i32' | 'v128';

/** Bytes of instructions. As an operand they leave one value; as a statement none. */
export type Code = readonly number[];

export interface Local {
  readonly index: number;
}

/** A number is a constant of type i32, an address for example. */
export type Operand = Local | Code | number;

/** Allots the locals of one function. */
export class Locals {
  readonly types: ValueType[] = [];
  readonly parameters: number;

  constructor(parameters: number) {
    this.parameters = parameters;
  }

  one(type: ValueType): Local {
    this.types.push(type);
    return { index: this.parameters + this.types.length - 1 };
  }

  many(type: ValueType, count: number): Local[] {
    return Array.from({ length: count }, () => this.one(type));
  }

  named<const Name extends string>(type: ValueType, ...names: Name[]): Record<Name, Local> {
    return Object.fromEntries(names.map((name) => [name, this.one(type)])) as Record<Name, Local>;
  }
}

export interface FunctionSource {
  name: string;
  /** All parameters are of type i32, and nothing is returned. */
  parameters: number;
  build(locals: Locals, ...parameters: Local[]): Code[];
}

export const i32 = {
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  divU: binary(0x6e),
  remU: binary(0x70),
  and: binary(0x71),
  shl: binary(0x74),
  eq: binary(0x46),
  ltU: binary(0x49),
  gtU: binary(0x4b),
  geU: binary(0x4f),
  load: (address: Operand, offset = 0): Code => [...operand(address), 0x28, ...memory(offset)],
  store: (address: Operand, value: Operand, offset = 0): Code => [
    ...operand(address),
    ...operand(value),
    0x36,
    ...memory(offset),
  ],
  /** `condition ? yes : no`; both are evaluated. */
  select: (condition: Operand, yes: Operand, no: Operand): Code => [
    ...operand(yes),
    ...operand(no),
    ...operand(condition),
    0x1b,
  ],
  /** The smaller of two values that cost nothing to be evaluated twice. */
  minU: (a: Operand, b: Operand): Code => i32.select(i32.ltU(a, b), a, b),
};

/** Four floats. */
export const f32x4 = {
  zero: [0xfd, 0x0c, ...new Array<number>(16).fill(0)] as Code,
  load: vectorLoad(0x00),
  /** One float into all four places. */
  loadSplat: vectorLoad(0x09),
  /** One float and three zeros. */
  loadOne: vectorLoad(0x5c),
  store: (address: Operand, value: Operand, offset = 0): Code => [
    ...operand(address),
    ...operand(value),
    0xfd,
    0x0b,
    ...memory(offset),
  ],
  /** The first of the four alone. */
  storeOne: (address: Operand, value: Operand, offset = 0, lane = 0): Code => [
    ...operand(address),
    ...operand(value),
    0xfd,
    0x5a,
    ...memory(offset),
    lane,
  ],
  add: vectorBinary(0xe4),
  sub: vectorBinary(0xe5),
  mul: vectorBinary(0xe6),
  div: vectorBinary(0xe7),
  /** a < b ? b : a, so that a value of a that is no number stays. */
  pmax: vectorBinary(0xeb),
  gt: vectorBinary(0x44),
  and: vectorBinary(0x4e),
  /** An unsigned integer as a float, four times. */
  from: (value: Operand): Code => [...operand(value), 0xfd, 0x11, 0xfd, ...unsigned(0xfb)],
  /** a · b + c, rounded once where the processor can. */
  madd: (a: Operand, b: Operand, c: Operand): Code => [
    ...operand(a),
    ...operand(b),
    ...operand(c),
    0xfd,
    ...unsigned(0x105),
  ],
};

export function set(local: Local, value: Operand): Code {
  return [...operand(value), 0x21, ...unsigned(local.index)];
}

/** Adds to a local of type i32. */
export function increase(local: Local, by: Operand): Code {
  return set(local, i32.add(local, by));
}

export function when(condition: Operand, statements: Code[], otherwise: Code[] = []): Code {
  const alternative = otherwise.length === 0 ? [] : [0x05, ...otherwise.flat()];
  return [...operand(condition), 0x04, 0x40, ...statements.flat(), ...alternative, 0x0b];
}

/** Repeats while the condition holds; the condition is looked at before each round. */
export function loopWhile(condition: Operand, statements: Code[]): Code {
  // The condition stands twice so that a round costs one branch.
  return when(condition, [[0x03, 0x40, ...statements.flat(), ...operand(condition), 0x0d, 0x00, 0x0b]]);
}

/** `for (local = from; local < to; local += step)`, unsigned. */
export function loop(local: Local, from: Operand, to: Operand, step: Operand, statements: Code[]): Code {
  return [...set(local, from), ...loopWhile(i32.ltU(local, to), [...statements, increase(local, step)])];
}

/** Sets bytes of memory to zero. */
export function clear(address: Operand, bytes: Operand): Code {
  return [...operand(address), ...operand(0), ...operand(bytes), 0xfc, 0x0b, 0x00];
}

/** Copies bytes of memory. */
export function copy(to: Operand, from: Operand, bytes: Operand): Code {
  return [...operand(to), ...operand(from), ...operand(bytes), 0xfc, 0x0a, 0x00, 0x00];
}

/** @param index of the function in the module */
export function call(index: number, ...values: Operand[]): Code {
  return [...values.flatMap(operand), 0x10, ...unsigned(index)];
}

/** A module that imports `env.memory`, shared and up to 4 GB, and exports its functions by name. */
export function assemble(functions: readonly FunctionSource[]): Uint8Array<ArrayBuffer> {
  const memoryImport = [...text('env'), ...text('memory'), 0x02, 0x03, ...unsigned(1), ...unsigned(pagesOf4Gigabytes)];
  const types = functions.map(({ parameters }) => [
    0x60,
    ...vector(new Array<Code>(parameters).fill([codeOf.i32])),
    0x00,
  ]);
  const bodies = functions.map(({ parameters, build }) => {
    const locals = new Locals(parameters);
    const code = build(locals, ...Array.from({ length: parameters }, (_, index) => ({ index }))).flat();
    const body = [...vector(locals.types.map((type) => [0x01, codeOf[type]])), ...code, 0x0b];
    return [...unsigned(body.length), ...body];
  });
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, types),
    ...section(2, [memoryImport]),
    ...section(
      3,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(
      7,
      functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]),
    ),
    ...section(10, bodies),
  ]);
}

const pagesOf4Gigabytes = 65536;

const codeOf: Record<ValueType, number> = { i32: 0x7f, v128: 0x7b };

function operand(value: Operand): Code {
  if (typeof value === 'number') return [0x41, ...signed(value)];
  return 'index' in value ? [0x20, ...unsigned(value.index)] : value;
}

function binary(opcode: number): (a: Operand, b: Operand) => Code {
  return (a, b) => [...operand(a), ...operand(b), opcode];
}

function vectorBinary(opcode: number): (a: Operand, b: Operand) => Code {
  return (a, b) => [...operand(a), ...operand(b), 0xfd, ...unsigned(opcode)];
}

function vectorLoad(opcode: number): (address: Operand, offset?: number) => Code {
  return (address, offset = 0) => [...operand(address), 0xfd, ...unsigned(opcode), ...memory(offset)];
}

/** Alignment to 4 bytes, as a power of two, and offset. */
function memory(offset: number): Code {
  return [2, ...unsigned(offset)];
}

function section(id: number, entries: readonly Code[]): Code {
  const content = vector(entries);
  return [id, ...unsigned(content.length), ...content];
}

function vector(entries: readonly Code[]): Code {
  return [...unsigned(entries.length), ...entries.flat()];
}

function text(value: string): Code {
  const bytes = [...new TextEncoder().encode(value)];
  return [...unsigned(bytes.length), ...bytes];
}

/** LEB128 */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value >>> 0;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

/** LEB128 with sign */
function signed(value: number): Code {
  const bytes: number[] = [];
  let rest = value | 0;
  while (rest < -64 || rest > 63) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  return [...bytes, rest & 0x7f];
}
