import { load } from '../host/packages';
import { alpha, baseGamma } from '../workload/workload';

/** What is used of onnx-proto, which may not be installed. */
interface OnnxProto {
  readonly onnx: {
    readonly ModelProto: {
      create(model: object): object;
      encode(model: object): { finish(): Uint8Array };
    };
  };
}

const float = 1; // TensorProto.DataType
const int32 = 6;
const int64 = 7;
const operatorSet = 13;
const irVersion = 7;

/**
 * Loss, gradient and per-class sums of Equalized Focal Loss as an ONNX graph, in few passes over the
 * matrix: with u = -x for positives and x for negatives, softplus(u) = -log p_t and
 * sigmoid(u) = 1 - p_t, so that log(1 - p_t) is u - softplus(u).
 */
export function buildModel(classes: number): Uint8Array {
  const { ModelProto } = (load('onnx-proto') as OnnxProto).onnx;
  const graph = {
    name: 'equalized_focal_loss',
    node: nodes(),
    initializer: [
      { name: 'class', dataType: int32, dims: [1, classes], int32Data: oneTo(classes) },
      constant('zero', 0),
      constant('one', 1),
      constant('positive_factor', alpha / baseGamma),
      constant('negative_factor', (1 - alpha) / baseGamma),
      { name: 'zero_label', dataType: int32, dims: [], int32Data: [0] },
      { name: 'rows', dataType: int64, dims: [1], int64Data: [0] },
    ],
    input: [
      value('logits', float, ['N', classes]),
      value('labels', int32, ['N', 1]),
      value('gamma', float, [1, classes]),
    ],
    output: [
      value('loss', float, []),
      value('gradient', float, ['N', classes]),
      value('positive', float, [classes]),
      value('negative', float, [classes]),
    ],
  };
  const opsetImport = [{ domain: '', version: operatorSet }];
  return ModelProto.encode(ModelProto.create({ irVersion, opsetImport, graph })).finish();
}

function nodes(): object[] {
  return [
    // Rows and classes.
    node('Equal', ['labels', 'class'], 'is_positive'),
    node('Less', ['labels', 'zero_label'], 'is_ignored'),
    node('Mul', ['gamma', 'positive_factor'], 'positive_gamma'),
    node('Mul', ['gamma', 'negative_factor'], 'negative_gamma'),
    node('Where', ['is_positive', 'positive_gamma', 'negative_gamma'], 'any_weight'),
    node('Where', ['is_ignored', 'zero', 'any_weight'], 'weight'),
    // The loss.
    node('Neg', ['logits'], 'negated'),
    node('Where', ['is_positive', 'negated', 'logits'], 'u'),
    node('Softplus', ['u'], 'entropy'),
    node('Sigmoid', ['u'], 'q'),
    node('Sub', ['u', 'entropy'], 'log_q'),
    node('Mul', ['log_q', 'gamma'], 'exponent'),
    node('Exp', ['exponent'], 'modulator'),
    node('Mul', ['modulator', 'weight'], 'weighted'),
    node('Mul', ['weighted', 'entropy'], 'elements'),
    node('ReduceSum', ['elements'], 'loss', { keepdims: 0 }),
    // |gradient| = weighted * (gamma (1 - q) entropy + q)
    node('Sub', ['one', 'q'], 'p'),
    node('Mul', ['entropy', 'gamma'], 'focused'),
    node('Mul', ['focused', 'p'], 'slope'),
    node('Add', ['slope', 'q'], 'slope_and_q'),
    node('Mul', ['weighted', 'slope_and_q'], 'magnitude'),
    node('Neg', ['magnitude'], 'negated_magnitude'),
    node('Where', ['is_positive', 'negated_magnitude', 'magnitude'], 'gradient'),
    // The statistics.
    node('Where', ['is_positive', 'magnitude', 'zero'], 'of_positives'),
    node('Where', ['is_positive', 'zero', 'magnitude'], 'of_negatives'),
    node('ReduceSum', ['of_positives', 'rows'], 'positive', { keepdims: 0 }),
    node('ReduceSum', ['of_negatives', 'rows'], 'negative', { keepdims: 0 }),
  ];
}

function node(opType: string, input: string[], output: string, integers = {}): object {
  const integer = 2; // AttributeProto.AttributeType
  const attribute = Object.entries(integers).map(([name, i]) => ({ name, i, type: integer }));
  return { opType, input, output: [output], attribute };
}

function constant(name: string, number: number): object {
  return { name, dataType: float, dims: [], floatData: [number] };
}

function value(name: string, elemType: number, shape: (string | number)[]): object {
  const dim = shape.map((size) =>
    typeof size === 'string' ? { dimParam: size } : { dimValue: size },
  );
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

function oneTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
