'use strict';
// Plain JavaScript: the self-check runs it in a bare Node, from the sources and from the build alike.

const util = require('node:util');

/**
 * Loads a compiled addon and the TensorFlow.js backend that drives it.
 * The package's own entry is not used: it looks for the addon inside the package, where a package
 * manager may remove it at any time.
 */
function loadNative(addonPath) {
  supplyUtilFunctions();
  // The union registers the gradients with the shared @tensorflow/tfjs-core.
  require('@tensorflow/tfjs');
  const binding = require(addonPath);
  require('@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js');
  const { NodeJSKernelBackend } = require('@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js');
  return { binding, backend: new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu') };
}

/** The backend calls these; Node 22 warns of them and Node 23 has dropped them. */
function supplyUtilFunctions() {
  util.isArray = Array.isArray;
  util.isNullOrUndefined = (value) => value === null || value === undefined;
}

module.exports = { loadNative };
