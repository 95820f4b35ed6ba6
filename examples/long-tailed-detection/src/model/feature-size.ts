/** Features per grid cell. Apart from the backbone, for those who must not load TensorFlow.js. */
export const FEATURES = 144;
