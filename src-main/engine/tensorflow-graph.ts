import { createRequire } from 'node:module';
import type { OpAttribute, TensorflowBinding } from './tensorflow.ts';

/** One operation of a graph. */
export interface GraphNode {
  name: string;
  operation: string;
  /** `node:output` each. */
  inputs: string[];
  attributes?: OpAttribute[];
  /** Of a Placeholder or Const, as the binding counts types. */
  dtype?: number;
  /** Of a Placeholder or Const. */
  shape?: number[];
  /** Of a Const. */
  values?: ArrayBufferView;
}

/**
 * The graph as TensorFlow's SavedModel, a protocol buffer: bytes of its `saved_model.pb`. Attributes that are not given are
 * filled in with their defaults when it is loaded.
 */
export function savedModel(binding: TensorflowBinding, nodes: readonly GraphNode[], tag: string): Uint8Array {
  const messages = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/dist/proto/api_pb') as Messages;
  const encode = encoderOf(messages, binding);
  const graph = new messages.GraphDef();
  graph.setNodeList(nodes.map(encode));
  const info = new messages.MetaGraphDef.MetaInfoDef();
  info.setTagsList([tag]);
  const metaGraph = new messages.MetaGraphDef();
  metaGraph.setMetaInfoDef(info);
  metaGraph.setGraphDef(graph);
  const model = new messages.SavedModel();
  model.setSavedModelSchemaVersion(1);
  model.setMetaGraphsList([metaGraph]);
  return model.serializeBinary();
}

/* The part of the generated classes that is used here; they come without types. */
type Message<Setters extends Record<string, unknown>> = new () => {
  [name in keyof Setters]: (value: Setters[name]) => void;
} & { serializeBinary(): Uint8Array };

type AttrValue = InstanceType<Messages['AttrValue']>;

interface Messages {
  SavedModel: Message<{ setSavedModelSchemaVersion: number; setMetaGraphsList: unknown[] }>;
  MetaGraphDef: Message<{ setMetaInfoDef: unknown; setGraphDef: unknown }> & {
    MetaInfoDef: Message<{ setTagsList: string[] }>;
  };
  GraphDef: Message<{ setNodeList: unknown[] }>;
  NodeDef: new () => {
    setName(name: string): void;
    setOp(operation: string): void;
    setInputList(inputs: string[]): void;
    getAttrMap(): { set(name: string, value: AttrValue): void };
  };
  AttrValue: Message<{
    setS: Uint8Array;
    setI: number;
    setF: number;
    setB: boolean;
    setType: number;
    setTensor: unknown;
    setShape: unknown;
    setList: unknown;
  }> & { ListValue: Message<{ setIList: number[]; setFList: number[]; setBList: boolean[] }> };
  TensorShape: Message<{ setDimList: unknown[] }> & { Dim: Message<{ setSize: number }> };
  Tensor: Message<{ setDtype: number; setTensorShape: unknown; setTensorContent: Uint8Array }>;
}

function encoderOf(messages: Messages, binding: TensorflowBinding): (node: GraphNode) => unknown {
  const { AttrValue, NodeDef, Tensor, TensorShape } = messages;
  const attribute = (set: (value: AttrValue) => void): AttrValue => {
    const value = new AttrValue();
    set(value);
    return value;
  };
  const shapeOf = (sizes: readonly number[]): unknown => {
    const shape = new TensorShape();
    shape.setDimList(
      sizes.map((size) => {
        const dimension = new TensorShape.Dim();
        dimension.setSize(size);
        return dimension;
      }),
    );
    return shape;
  };
  const encodeAttribute = ({ name, type, value }: OpAttribute): AttrValue =>
    attribute((encoded) => {
      const list = new AttrValue.ListValue();
      switch (type) {
        case binding.TF_ATTR_STRING:
          return encoded.setS(Buffer.from(value as string));
        case binding.TF_ATTR_INT:
          if (!Array.isArray(value)) return encoded.setI(value as number);
          list.setIList(value);
          return encoded.setList(list);
        case binding.TF_ATTR_FLOAT:
          if (!Array.isArray(value)) return encoded.setF(value as number);
          list.setFList(value);
          return encoded.setList(list);
        case binding.TF_ATTR_BOOL:
          return encoded.setB(value as boolean);
        case binding.TF_ATTR_TYPE:
          return encoded.setType(value as number);
        case binding.TF_ATTR_SHAPE:
          return encoded.setShape(shapeOf(value as number[]));
        default:
          throw new Error(`The attribute ${name} is of a kind (${type}) that no graph is made with.`);
      }
    });
  return ({ name, operation, inputs, attributes = [], dtype, shape, values }) => {
    const node = new NodeDef();
    node.setName(name);
    node.setOp(operation);
    node.setInputList(inputs);
    const encoded = node.getAttrMap();
    for (const each of attributes) encoded.set(each.name, encodeAttribute(each));
    if (dtype === undefined || shape === undefined) return node;
    encoded.set(
      'dtype',
      attribute((type) => type.setType(dtype)),
    );
    if (values === undefined) {
      encoded.set(
        'shape',
        attribute((sizes) => sizes.setShape(shapeOf(shape))),
      );
    } else {
      const tensor = new Tensor();
      tensor.setDtype(dtype);
      tensor.setTensorShape(shapeOf(shape));
      tensor.setTensorContent(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      encoded.set(
        'value',
        attribute((constant) => constant.setTensor(tensor)),
      );
    }
    return node;
  };
}
