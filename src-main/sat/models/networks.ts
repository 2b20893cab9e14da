import type { NetworkName } from '../../../shared/domain.ts';
import { compactGflop, createCompactNetwork } from './compact.ts';
import type { Network, NetworkSettings } from './network.ts';
import { createResnet, resnet18Blocks, resnet34Blocks, resnetGflop } from './resnet.ts';
import { createVgg, vggGflop } from './vgg.ts';
import { createWideResnet, wideResnetGflop } from './wide-resnet.ts';

export interface NetworkDefinition {
  title: string;
  /** Channels of the first convolution, as published; of our own, what most runs take. */
  usualWidth: number;
  create(settings: NetworkSettings): Network;
  /** Cost of one picture's features in GFLOP, a multiplication and an addition counted as two. */
  gflop(width: number, resolution: number): number;
}

export const networks: Record<NetworkName, NetworkDefinition> = {
  compact: { title: 'Compact', usualWidth: 24, create: createCompactNetwork, gflop: compactGflop },
  resnet18: resnet('ResNet-18', resnet18Blocks),
  resnet34: resnet('ResNet-34', resnet34Blocks),
  'vgg16-bn': { title: 'VGG16-BN', usualWidth: 64, create: createVgg, gflop: vggGflop },
  'wrn-28-10': wideResnet('WRN-28-10', 28),
  'wrn-34-10': wideResnet('WRN-34-10', 34),
};

function resnet(title: string, blocks: readonly number[]): NetworkDefinition {
  return {
    title,
    usualWidth: 64,
    create: (settings) => createResnet(blocks, settings),
    gflop: (width, resolution) => resnetGflop(blocks, width, resolution),
  };
}

function wideResnet(title: string, depth: number): NetworkDefinition {
  return {
    title,
    usualWidth: 16,
    create: (settings) => createWideResnet(depth, settings),
    gflop: (width, resolution) => wideResnetGflop(depth, width, resolution),
  };
}
