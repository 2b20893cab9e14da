import { existsSync } from 'node:fs';

/** Where Chromium and Mesa put the descriptions of their software Vulkan drivers. */
const driverFiles = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/usr/lib/chromium-browser/vk_swiftshader_icd.json',
  '/opt/google/chrome/vk_swiftshader_icd.json',
  '/usr/share/vulkan/icd.d/lvp_icd.x86_64.json',
  '/usr/share/vulkan/icd.d/lvp_icd.aarch64.json',
  '/usr/share/vulkan/icd.d/lvp_icd.json',
];

/**
 * Lets WebGPU run on a software adapter, where one is found and there is no card: right, and slow enough for tiny shapes only.
 * For the environment of a process that has not asked for an adapter yet.
 */
export function softwareGpu(): Record<string, string> {
  const file = driverFiles.find(existsSync);
  // Added to the drivers that are installed, among which a card's would be preferred.
  return { WINNOW_SOFTWARE_GPU: '1', ...(file === undefined ? {} : { VK_ADD_DRIVER_FILES: file }) };
}

export function allowSoftwareGpu(): void {
  Object.assign(process.env, softwareGpu());
}
