import type { EngineChoice, NetworkName } from '../../shared/domain.ts';

/** What people call what a run computes with. */
export const engineTitles: Record<EngineChoice, string> = {
  auto: 'Fastest there is',
  tensorflow: 'TensorFlow',
  webgpu: 'WebGPU',
  wasm: 'WebAssembly',
};

export const networkTitles: Record<NetworkName, string> = {
  compact: 'Compact',
  resnet18: 'ResNet-18',
  resnet34: 'ResNet-34',
  'vgg16-bn': 'VGG16-BN',
  'wrn-28-10': 'WRN-28-10',
  'wrn-34-10': 'WRN-34-10',
};
