#!/bin/sh
# Runs the packed measurements on this machine; arguments go to run.mjs. What it finds is written to results.json beside this file,
# or under $OUT where that is set.
cd "$(dirname "$0")" || exit 1
export LD_LIBRARY_PATH="$PWD/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
# NVIDIA's driver in a container often lies where the loader does not look.
nvidia=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
if [ -z "$VK_DRIVER_FILES$VK_ICD_FILENAMES$VK_ADD_DRIVER_FILES" ] && [ -f "$nvidia" ] && [ ! -f /usr/share/vulkan/icd.d/nvidia_icd.json ]; then
  export VK_DRIVER_FILES="$nvidia"
fi
exec ./node run.mjs "$@"
