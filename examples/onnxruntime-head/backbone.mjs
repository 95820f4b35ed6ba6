// A frozen backbone as an .onnx file: features = tanh(pixels x weights), with fixed random weights in
// place of those of a pretrained network.
import { writeFileSync } from 'node:fs';
import onnx from 'onnx-proto';

const float = 1; // TensorProto.DataType
const operatorSet = 13;
const irVersion = 7;

export function writeBackbone(file, weights, pixels, features) {
  const { ModelProto } = onnx.onnx;
  const graph = {
    name: 'backbone',
    node: [
      { opType: 'MatMul', input: ['pixels', 'weights'], output: ['sums'] },
      { opType: 'Tanh', input: ['sums'], output: ['features'] },
    ],
    initializer: [
      { name: 'weights', dataType: float, dims: [pixels, features], floatData: weights },
    ],
    input: [value('pixels', ['N', pixels])],
    output: [value('features', ['N', features])],
  };
  const model = { irVersion, opsetImport: [{ domain: '', version: operatorSet }], graph };
  writeFileSync(file, ModelProto.encode(ModelProto.create(model)).finish());
}

function value(name, shape) {
  const dim = shape.map((size) =>
    typeof size === 'string' ? { dimParam: size } : { dimValue: size },
  );
  return { name, type: { tensorType: { elemType: float, shape: { dim } } } };
}
