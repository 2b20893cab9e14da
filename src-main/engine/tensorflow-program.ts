import * as tf from '@tensorflow/tfjs-core';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { interpret, type Program, type TensorWork } from './program.ts';
import { savedModel, type GraphNode } from './tensorflow-graph.ts';
import type { TensorflowBackend, TensorflowBinding, TensorHandle } from './tensorflow.ts';

/*
 * A step as one graph. Operation by operation, a small network spends a third of its time between operations and in ones so small that
 * all cores but one are idle. So the step is done once with its operations written down, and from then on TensorFlow runs the list as a
 * graph of its own: it simplifies it, runs side by side what does not depend on each other, and comes back to JavaScript once.
 */

/** The work as a program that runs as a graph, one for each set of shapes that it is given; operation by operation where that fails. */
export function compileToGraph(backend: TensorflowBackend, work: TensorWork): Program {
  const graphs = new Map<string, Graph>();
  let refused = false;
  const graphFor = (inputs: tf.NamedTensorMap): Graph | null => {
    const shapes = JSON.stringify(Object.entries(inputs).map(([name, { shape, dtype }]) => [name, shape, dtype]));
    if (refused || graphs.has(shapes)) return graphs.get(shapes) ?? null;
    try {
      graphs.set(shapes, load(backend, record(backend, work, inputs)));
    } catch (error) {
      refused = true;
      process.emitWarning(`TensorFlow cannot run the step as a graph, so it will be slower: ${String(error)}`);
    }
    return graphs.get(shapes) ?? null;
  };
  return {
    run: (inputs) => {
      const graph = graphFor(inputs);
      return graph === null ? interpret(work).run(inputs) : runGraph(backend, graph, inputs);
    },
    dispose: () => {
      for (const { id } of graphs.values()) backend.binding.deleteSavedModel(id);
      graphs.clear();
    },
  };
}

/** The operations of some work, and what among them stands for what. A place is a node's output, written `node:output`. */
interface Recording {
  nodes: GraphNode[];
  /** Of inputs that are used. */
  inputs: Map<string, Place>;
  /** Of variables that are used: their values before the work. */
  variables: Map<tf.Variable, Place>;
  computed: Map<string, Place>;
  /** Results that are inputs, handed through as they are. */
  handedThrough: Map<string, string>;
  /** The values that variables have after the work. */
  assigned: Map<tf.Variable, Place>;
}

type Place = string;

/** A recording that TensorFlow has loaded. */
interface Graph extends Recording {
  id: number;
}

/** Does the work once and writes down its operations. Variables have their old values again afterwards. */
function record(backend: TensorflowBackend, work: TensorWork, inputs: tf.NamedTensorMap): Recording {
  const { binding } = backend;
  const variables = Object.values(tf.engine().registeredVariables);
  const before = variables.map((variable) => variable.clone());
  const tape = createTape(backend);
  const givenPlaces = new Map(Object.entries(inputs).map(([name, tensor]) => [name, tape.give(tensor)]));
  const variablePlaces = variables.map((variable) => tape.give(variable));
  try {
    backend.binding = tape.binding;
    const computed = new Map<string, Place>();
    const handedThrough = new Map<string, string>();
    const assigned = new Map<tf.Variable, Place>();
    tf.tidy(() => {
      const given = new Map([...givenPlaces].map(([name, place]) => [place, name]));
      for (const [name, tensor] of Object.entries(work(inputs))) {
        const place = tape.placeOf(tensor);
        const input = given.get(place);
        if (input === undefined) computed.set(name, place);
        else handedThrough.set(name, input);
        // The work may have told tfjs to keep it.
        if (!Object.values(inputs).includes(tensor)) tensor.dispose();
      }
      variables.forEach((variable, index) => {
        const place = tape.placeOf(variable);
        if (place !== variablePlaces[index]) assigned.set(variable, place);
      });
    });
    const used = new Set(tape.nodes.flatMap((node) => node.inputs));
    return {
      nodes: tape.nodes,
      inputs: new Map([...givenPlaces].filter(([, place]) => used.has(place))),
      variables: new Map(
        variables
          .map((variable, index): [tf.Variable, Place] => [variable, variablePlaces[index]!])
          .filter(([, place]) => used.has(place)),
      ),
      computed,
      handedThrough,
      assigned,
    };
  } finally {
    backend.binding = binding;
    variables.forEach((variable, index) => variable.assign(before[index]!));
    tf.dispose(before);
  }
}

interface Tape {
  nodes: GraphNode[];
  /** Does what the backend's own does, and writes it down. */
  binding: TensorflowBinding;
  /** Takes down a tensor whose value the graph is to be given. */
  give(tensor: tf.Tensor): Place;
  /** @throws Error for a tensor that was neither given nor made since */
  placeOf(tensor: tf.Tensor): Place;
}

function createTape(backend: TensorflowBackend): Tape {
  const { binding } = backend;
  const nodes: GraphNode[] = [];
  const places = new Map<TensorHandle, Place>();
  const handleOf = (tensor: tf.Tensor): TensorHandle => backend.getInputTensorIds([tensor])[0]!;
  const add = (handles: readonly TensorHandle[], node: Omit<GraphNode, 'name'>): void => {
    const name = `node${nodes.length}`;
    nodes.push({ name, ...node });
    handles.forEach((handle, output) => places.set(handle, `${name}:${output}`));
  };
  const placeOf = (handle: TensorHandle): Place => {
    const place = places.get(handle);
    if (place === undefined) throw new Error('the work uses a tensor that is neither an input nor a variable');
    return place;
  };
  const createTensor: TensorflowBinding['createTensor'] = (shape, dtype, values) => {
    const handle = binding.createTensor(shape, dtype, values);
    add([handle], { operation: 'Const', inputs: [], dtype, shape, values });
    return handle;
  };
  const executeOp: TensorflowBinding['executeOp'] = (operation, attributes, inputs, outputs) => {
    const made = binding.executeOp(operation, attributes, inputs, outputs);
    add(
      made.map(({ id }) => id),
      { operation, inputs: inputs.map(placeOf), attributes },
    );
    return made;
  };
  return {
    nodes,
    // The binding itself is sealed; what is not written down is found through the prototype.
    binding: Object.create(binding, {
      createTensor: { value: createTensor },
      executeOp: { value: executeOp },
    }) as TensorflowBinding,
    give: (tensor) => {
      const { shape, dtype } = tensor;
      const handle = handleOf(tensor);
      add([handle], { operation: 'Placeholder', inputs: [], dtype: backend.getDTypeInteger(dtype), shape });
      return placeOf(handle);
    },
    placeOf: (tensor) => placeOf(handleOf(tensor)),
  };
}

function load({ binding }: TensorflowBackend, recording: Recording): Graph {
  // TensorFlow takes a graph from a folder only.
  const folder = mkdtempSync(path.join(tmpdir(), 'winnow-graph-'));
  try {
    writeFileSync(path.join(folder, 'saved_model.pb'), savedModel(binding, recording.nodes, modelTag));
    return { ...recording, id: binding.loadSavedModel(folder, modelTag) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const modelTag = 'step';

function runGraph(backend: TensorflowBackend, graph: Graph, given: tf.NamedTensorMap): tf.NamedTensorMap {
  const { id, inputs, variables, computed, handedThrough, assigned } = graph;
  const outputs = backend.binding.runSavedModel(
    id,
    backend.getInputTensorIds([...[...inputs.keys()].map((name) => given[name]!), ...variables.keys()]),
    [...inputs.values(), ...variables.values()].join(','),
    [...computed.values(), ...assigned.values()].join(','),
  );
  const tensors = outputs.map((output) => backend.createOutputTensor(output));
  const results = Object.fromEntries([...computed.keys()].map((name) => [name, tensors.shift()!]));
  for (const variable of assigned.keys()) {
    const value = tensors.shift()!;
    variable.assign(value);
    value.dispose();
  }
  for (const [name, input] of handedThrough) results[name] = given[input]!.clone();
  return results;
}
