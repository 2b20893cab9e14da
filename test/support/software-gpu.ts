import { existsSync, readFileSync } from 'node:fs';

/** Where Chromium and Mesa put the descriptions of their software Vulkan drivers. */
const driverFiles = {
  llvmpipe: [
    '/usr/share/vulkan/icd.d/lvp_icd.json',
    '/usr/share/vulkan/icd.d/lvp_icd.x86_64.json',
    '/usr/share/vulkan/icd.d/lvp_icd.aarch64.json',
  ],
  swiftshader: [
    '/usr/lib/chromium/vk_swiftshader_icd.json',
    '/usr/lib/chromium-browser/vk_swiftshader_icd.json',
    '/opt/google/chrome/vk_swiftshader_icd.json',
  ],
};

/**
 * Lets WebGPU run on a software adapter, where one is found and there is no card: right, and slow enough for tiny shapes only.
 * For the environment of a process that has not asked for an adapter yet.
 */
export function softwareGpu(): Record<string, string> {
  // Mesa's has half precision and subgroups of eight, Chromium's subgroups of four. Where both are offered, Dawn takes Chromium's.
  const file = driverFiles.llvmpipe.find(isNewMesa) ?? driverFiles.swiftshader.find(existsSync);
  // Added to the drivers that are installed, among which a card's would be preferred.
  return { WINNOW_SOFTWARE_GPU: '1', ...(file === undefined ? {} : { VK_ADD_DRIVER_FILES: file }) };
}

export function allowSoftwareGpu(): void {
  Object.assign(process.env, softwareGpu());
}

/** Makes it Chromium's software adapter, whatever else there is; without it there is no adapter. */
export function requireSwiftShader(): void {
  const file = driverFiles.swiftshader.find(existsSync);
  Object.assign(process.env, {
    WINNOW_SOFTWARE_GPU: '1',
    WINNOW_GPU: 'SwiftShader',
    ...(file === undefined ? {} : { VK_ADD_DRIVER_FILES: file }),
  });
}

/** Whether a description is of a Mesa that Dawn accepts. Older ones have Vulkan 1.3, and Dawn would find no adapter at all. */
function isNewMesa(file: string): boolean {
  if (!existsSync(file)) return false;
  const version = /"api_version": *"(\d+)\.(\d+)/.exec(readFileSync(file, 'utf8'));
  return version !== null && (Number(version[1]) > 1 || Number(version[2]) >= 4);
}
