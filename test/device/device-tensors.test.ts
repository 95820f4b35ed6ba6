import {
  CudaEvent,
  CudaGraph,
  CudaStream,
  CudaTensor,
  EflArgumentError,
  EflDisposedError,
  EflOutOfMemoryError,
  EqualizationLoss,
  EqualizedFocalLoss,
  FocalLoss,
  QualityFocalLoss,
  backends,
  memoryInfo,
} from '../../lib/index';
import { expectClose, expectSame } from '../reference/compare';
import { Random } from '../reference/random';
import { describeOnDevice, testOnTwoDevices } from './emulated';

const CLOSE = { relative: 1e-5, absolute: 1e-30 };

interface Problem {
  readonly logits: Float32Array;
  readonly labels: Int32Array;
}

function problem(rows: number, classes: number, seed: number): Problem {
  const random = new Random(seed);
  return {
    logits: Float32Array.from({ length: rows * classes }, () => random.uniform(-8, 8)),
    labels: Int32Array.from({ length: rows }, () => random.integer(classes + 2) - 1),
  };
}

function uploaded({ logits, labels }: Problem, classes: number, device = 0) {
  const shape = [logits.length / classes, classes];
  return {
    logits: CudaTensor.fromHost(logits, { shape, device }),
    labels: CudaTensor.fromHost(labels, { device }),
  };
}

/** What an error says of itself. */
const matching = (parts: object): Error => expect.objectContaining(parts) as Error;

const values = (tensor: CudaTensor): Float32Array => tensor.toHost().data as Float32Array;

describeOnDevice('device tensors', () => {
  test('the backend says whether it is emulated', () => {
    const cuda = backends().find(({ name }) => name === 'cuda')!;
    expect(cuda.available).toBe(true);
    expect(/emulated/i.test(cuda.detail)).toBe(process.env['EFL_REQUIRE_CUDA'] !== '1');
  });

  test.each(['float32', 'int32'] as const)('%s values go there and come back', (dtype) => {
    const source = dtype === 'int32' ? Int32Array.of(1, -2, 3) : Float32Array.of(1, -2, 3.5);
    const tensor = CudaTensor.fromHost(source);
    source[0] = 9;
    const { data, shape, dtype: own } = tensor.toHost();
    expect([...data]).toEqual([1, -2, dtype === 'int32' ? 3 : 3.5]);
    expect(shape).toEqual([3]);
    expect(own).toBe(dtype);
  });

  test('16-bit values keep their bits', async () => {
    const data = Uint16Array.of(0x3c00, 0xc000);
    const tensor = CudaTensor.fromHost({ data, shape: [2], dtype: 'float16' });
    expect((await tensor.toHostAsync()).data).toEqual(data);
    const one = CudaTensor.fromHost({
      data: Uint16Array.of(0x3f80),
      shape: [1],
      dtype: 'bfloat16',
    });
    expect(one.item()).toBe(1);
  });

  test('values are copied into a tensor, from another one or from the host', () => {
    const tensor = CudaTensor.empty([2, 2]);
    expect(tensor.copyFrom(Float32Array.of(1, 2, 3, 4))).toBe(tensor);
    expect([...values(tensor)]).toEqual([1, 2, 3, 4]);
    const other = CudaTensor.empty([4]).copyFrom(tensor);
    tensor.copyFrom({ data: Float32Array.of(5, 6, 7, 8), shape: [1, 4] });
    expect([...values(other)]).toEqual([1, 2, 3, 4]);
    expect(tensor.shape).toEqual([2, 2]);
    const labels = CudaTensor.empty([2], { dtype: 'int32' }).copyFrom(Int32Array.of(-1, 7));
    expect([...labels.toHost().data]).toEqual([-1, 7]);
    const half = { data: Uint16Array.of(0x3c00), shape: [1], dtype: 'float16' } as const;
    expect(CudaTensor.empty([1], { dtype: 'float16' }).copyFrom(half).item()).toBe(1);
  });

  test('a copy comes after what is under way with both tensors in other streams', () => {
    const [first, second, third] = [new CudaStream(), new CudaStream(), new CudaStream()];
    const source = CudaTensor.empty([3], { stream: first });
    const target = CudaTensor.empty([3], { stream: second });
    source.copyFrom(Float32Array.of(1, 2, 3), { stream: first });
    target.copyFrom(Float32Array.of(7, 8, 9), { stream: second });
    target.copyFrom(source, { stream: third });
    source.copyFrom(Float32Array.of(4, 5, 6), { stream: first });
    expect([...values(target)]).toEqual([1, 2, 3]);
    expect([...values(source)]).toEqual([4, 5, 6]);
  });

  test('training steps have the figures of the CPU, and the same state', () => {
    const classes = 7;
    const options = { numClasses: classes };
    const host = new EqualizedFocalLoss(options);
    const device = new EqualizedFocalLoss(options);
    for (let step = 1; step <= 4; step++) {
      const given = problem(60, classes, step);
      const { logits, labels } = uploaded(given, classes);
      const expected = host.forwardBackward(given.logits, given.labels, {
        normalizer: 'positives',
      });
      const output = device.forwardBackward(logits, labels, { normalizer: 'positives' });
      expectClose('loss', output.loss.item(), expected.loss, CLOSE);
      expectClose('grad', values(output.grad), expected.grad, CLOSE);
      expect(output.grad.shape).toEqual([60, classes]);
      expect([output.positives, output.ignored]).toEqual([expected.positives, expected.ignored]);
    }
    expect(device.statistics.steps).toBe(4);
    expectClose('ratio', device.gradientRatio, host.gradientRatio, CLOSE);
    expectClose('positive', device.statistics.positive, host.statistics.positive, CLOSE);
  });

  testOnTwoDevices('the state moves between host, devices and files of it', () => {
    const classes = 5;
    const mixed = new EqualizedFocalLoss({ numClasses: classes });
    const host = new EqualizedFocalLoss({ numClasses: classes });
    for (let step = 0; step < 6; step++) {
      const given = problem(40, classes, 50 + step);
      host.forwardBackward(given.logits, given.labels);
      if (step % 3 === 0) {
        mixed.forwardBackward(given.logits, given.labels);
      } else {
        const { logits, labels } = uploaded(given, classes, (step % 3) - 1);
        mixed.forwardBackward(logits, labels);
      }
    }
    expect(mixed.statistics.steps).toBe(6);
    expectClose('ratio', mixed.gradientRatio, host.gradientRatio, CLOSE);
    const other = new EqualizedFocalLoss({ numClasses: classes });
    other.loadStateDict(mixed.stateDict());
    expectSame('loaded', other.gradientRatio, mixed.gradientRatio);
    mixed.reset();
    expect(mixed.statistics.steps).toBe(0);
  });

  test('a pyramid of NCHW levels is one call, into the given gradients', () => {
    const classes = 3;
    const random = new Random(3);
    const shapes = [
      [2, classes, 4, 4],
      [2, classes, 3, 3],
    ];
    const levels = shapes.map((shape) => ({
      data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () =>
        random.uniform(-4, 4),
      ),
      shape,
    }));
    const labels = levels.map(({ data }) =>
      Int32Array.from({ length: data.length / classes }, () => random.integer(classes + 1)),
    );
    const expected = new FocalLoss({ numClasses: classes }).forwardBackward(levels, labels, {
      layout: 'NCHW',
    });
    const tensors = levels.map((level) => CudaTensor.fromHost(level));
    const output = new FocalLoss({ numClasses: classes }).forwardBackward(
      tensors,
      labels.map((level) => CudaTensor.fromHost(level)),
      { layout: 'NCHW', grad: tensors },
    );
    expect(output.grad).toBe(tensors);
    expectClose('loss', output.loss.item(), expected.loss, CLOSE);
    output.grad.forEach((grad, level) => {
      expectClose('grad', values(grad), expected.grad[level]!.data, CLOSE);
    });
  });

  test('elements, targets, qualities and scalars on the device mean what they mean on the host', () => {
    const classes = 4;
    const given = problem(20, classes, 8);
    const { logits, labels } = uploaded(given, classes);
    const quality = Float32Array.from({ length: 20 }, (_, row) => row / 20);
    const none = { numClasses: classes, reduction: 'none' } as const;
    const expected = new QualityFocalLoss(none).forwardBackward(given.logits, given.labels, {
      quality,
    });
    const output = new QualityFocalLoss(none).forwardBackward(logits, labels, {
      quality: CudaTensor.fromHost(quality),
    });
    expectClose('elements', values(output.elements as CudaTensor), expected.elements!, CLOSE);
    expectClose('grad', values(output.grad), expected.grad, CLOSE);

    const targets = Float32Array.from(given.logits, (_, i) =>
      i % 5 === 0 ? 0.75 : i % 7 === 0 ? 1 : 0,
    );
    const dense = new FocalLoss({ numClasses: classes });
    const onHost = dense.forwardBackward(given.logits, targets, { normalizer: 3, gradOutput: -2 });
    const onDevice = dense.forwardBackward(logits, CudaTensor.fromHost(targets), {
      normalizer: CudaTensor.fromHost(Float32Array.of(3)),
      gradOutput: CudaTensor.fromHost(Float32Array.of(-2)),
    });
    expectClose('loss', onDevice.loss.item(), onHost.loss, CLOSE);
    expectClose('grad', values(onDevice.grad), onHost.grad, CLOSE);
    expect(onDevice.positives).toBe(onHost.positives);
  });

  test('labels of the host are taken along', () => {
    const classes = 3;
    const given = problem(9, classes, 4);
    const criterion = new EqualizationLoss({
      numClasses: classes,
      classFrequencies: [0.9, 0.05, 0.0001],
    });
    const expected = criterion.forward(given.logits, given.labels);
    const output = criterion.forward(uploaded(given, classes).logits, given.labels);
    expectClose('loss', output.loss.item(), expected.loss, CLOSE);
  });

  test('gradients from elsewhere enter the state', () => {
    const classes = 6;
    const given = problem(33, classes, 12);
    const host = new EqualizedFocalLoss({ numClasses: classes });
    const device = new EqualizedFocalLoss({ numClasses: classes });
    const expected = host.collectGrad(given.logits, given.labels, { lossScale: 4 });
    const { logits, labels } = uploaded(given, classes);
    const output = device.collectGrad(logits, labels, { lossScale: 4 });
    expect(output.positives).toBe(expected.positives);
    expectClose('ratio', device.gradientRatio, host.gradientRatio, CLOSE);
  });

  test('asynchronous calls resolve when they are done', async () => {
    const classes = 5;
    const given = problem(12, classes, 5);
    const { logits, labels } = uploaded(given, classes);
    const criterion = new EqualizedFocalLoss({ numClasses: classes });
    const output = await criterion.forwardBackwardAsync(logits, labels);
    const expected = new EqualizedFocalLoss({ numClasses: classes }).forward(
      given.logits,
      given.labels,
    );
    expectClose('loss', output.loss.item(), expected.loss, CLOSE);
    await criterion.synchronize();
    expect(criterion.statistics.steps).toBe(1);
  });
});

describeOnDevice('deferred calls on a device', () => {
  const classes = 6;
  const given = problem(40, classes, 41);
  const defer = { collect: 'defer' } as const;
  const make = () => new EqualizedFocalLoss({ numClasses: classes });

  test('are folded in as one step, in the order of streams', () => {
    const { logits, labels } = uploaded(given, classes);
    const [criterion, expected] = [make(), make()];
    const streams = [new CudaStream(), new CudaStream()];
    for (let step = 0; step < 2; step++) {
      for (const stream of streams) {
        criterion.forwardBackward(logits, labels, { ...defer, stream });
        criterion.collectGrad(logits, labels, { ...defer, stream });
        expected.forwardBackward(given.logits, given.labels, defer);
        expected.collectGrad(given.logits, given.labels, defer);
      }
      expect(criterion.pendingCalls).toBe(4);
      expect(criterion.statistics.steps).toBe(step);
      criterion.commit(step === 0 ? {} : { stream: streams[0] });
      expected.commit();
      expect(criterion.pendingCalls).toBe(0);
      expect(criterion.statistics.steps).toBe(step + 1);
      expectClose('ratio', criterion.gradientRatio, expected.gradientRatio, CLOSE);
    }
  });

  test('move with the state, and count together with those on the host', () => {
    const { logits, labels } = uploaded(given, classes);
    const [criterion, expected] = [make(), make()];
    criterion.forwardBackward(given.logits, given.labels, defer);
    criterion.forwardBackward(logits, labels, defer);
    criterion.forwardBackward(given.logits, given.labels, defer);
    for (let part = 0; part < 3; part++) {
      expected.forwardBackward(given.logits, given.labels, defer);
    }
    expect(criterion.pendingCalls).toBe(3);
    criterion.commit({ stream: new CudaStream() });
    expected.commit();
    expectClose('ratio', criterion.gradientRatio, expected.gradientRatio, CLOSE);
    expect(criterion.statistics.steps).toBe(1);
  });

  test('whose gradients are all 0, or that fail, are not pending', () => {
    const { logits, labels } = uploaded(given, classes);
    const criterion = make();
    criterion.forwardBackward(logits, labels, { ...defer, gradOutput: 0 });
    criterion.forwardBackward(logits, new Int32Array(40).fill(-1), defer);
    criterion.forwardBackward(logits, new Int32Array(40).fill(99), defer);
    expect(criterion.pendingCalls).toBe(0);
    criterion.commit();
    expect(criterion.statistics.steps).toBe(0);
    criterion.forwardBackward(logits, labels, defer);
    criterion.reset();
    expect(criterion.pendingCalls).toBe(0);
  });

  test('a value without the statistics is that of a new criterion', () => {
    const { logits, labels } = uploaded(given, classes);
    const criterion = make();
    const { loss } = criterion.forward(logits, labels);
    criterion.forwardBackward(logits, labels);
    const base = criterion.forward(logits, labels, { equalize: false }).loss;
    expect(base.item()).toBe(loss.item());
    expect(criterion.forward(logits, labels).loss.item()).not.toBe(loss.item());
  });
});

describeOnDevice('streams, events and graphs', () => {
  const classes = 5;

  test('what was made in one stream is used in another one after it', () => {
    const first = new CudaStream();
    const second = new CudaStream();
    const given = problem(30, classes, 21);
    const criterion = new EqualizedFocalLoss({ numClasses: classes });
    const expected = new EqualizedFocalLoss({ numClasses: classes });
    for (const stream of [first, second, first, undefined]) {
      const logits = CudaTensor.fromHost(given.logits, { shape: [30, classes], stream: first });
      const labels = CudaTensor.fromHost(given.labels, { stream: second });
      const output = criterion.forwardBackward(logits, labels, { stream });
      logits.dispose();
      labels.dispose();
      const wanted = expected.forwardBackward(given.logits, given.labels);
      expectClose('grad', values(output.grad), wanted.grad, CLOSE);
    }
    first.dispose();
    second.dispose();
  });

  test('an event is done when the stream has reached it', () => {
    const stream = new CudaStream();
    const start = new CudaEvent();
    const end = new CudaEvent();
    start.record(stream);
    CudaTensor.fromHost(Float32Array.of(1), { stream });
    end.record(stream);
    const other = new CudaStream();
    other.wait(end);
    other.synchronize();
    expect(end.done).toBe(true);
    expect(end.elapsedSince(start)).toBeGreaterThanOrEqual(0);
  });

  test('asking whether an event is done leaves no error behind', () => {
    const stream = new CudaStream();
    const { logits, labels } = uploaded(problem(8, classes, 2), classes);
    const criterion = new FocalLoss({ numClasses: classes });
    const event = new CudaEvent();
    const { loss } = criterion.forward(logits, labels, { stream });
    event.record(stream);
    let asked = 0;
    while (!event.done) asked += 1;
    expect(asked).toBeGreaterThan(process.env['EFL_REQUIRE_CUDA'] === '1' ? -1 : 0);
    expect(criterion.forward(logits, labels, { stream }).loss.item()).toBe(loss.item());
  });

  test('a captured training step is replayed with new logits, and moves the state on', () => {
    const stream = new CudaStream();
    const given = problem(30, classes, 31);
    const logits = CudaTensor.fromHost(given.logits, { shape: [30, classes] });
    const labels = CudaTensor.fromHost(given.labels);
    const criterion = new EqualizedFocalLoss({ numClasses: classes });
    const expected = new EqualizedFocalLoss({ numClasses: classes });
    criterion.forwardBackward(logits, labels, { stream, normalizer: 'positives' });
    expected.forwardBackward(given.logits, given.labels, { normalizer: 'positives' });
    let output: ReturnType<typeof step> | undefined;
    const step = () =>
      criterion.forwardBackward(logits, labels, { stream, normalizer: 'positives' });
    const graph = CudaGraph.capture(stream, () => {
      output = step();
    });
    expect(criterion.statistics.steps).toBe(1);
    for (let replay = 1; replay <= 3; replay++) {
      graph.replay(replay === 2 ? undefined : stream);
      const wanted = expected.forwardBackward(given.logits, given.labels, {
        normalizer: 'positives',
      });
      expectClose('loss', output!.loss.item(), wanted.loss, CLOSE);
      expectClose('grad', values(output!.grad), wanted.grad, CLOSE);
      expect(criterion.statistics.steps).toBe(1 + replay);
    }
    expectClose('ratio', criterion.gradientRatio, expected.gradientRatio, CLOSE);
    // The graph has what it needs, whatever becomes of the tensors.
    logits.dispose();
    labels.dispose();
    graph.replay();
    expect(criterion.statistics.steps).toBe(5);
    graph.dispose();
    expect(() => {
      graph.replay();
    }).toThrow(EflDisposedError);
  });

  test('captured micro-batches and their commit are one step of each replay', () => {
    const stream = new CudaStream();
    const given = problem(30, classes, 33);
    const { logits, labels } = uploaded(given, classes);
    const options = { numClasses: classes, halfLife: 3, startAfter: 1 };
    const criterion = new EqualizedFocalLoss(options);
    const expected = new EqualizedFocalLoss(options);
    const defer = { normalizer: 9, collect: 'defer' } as const;
    criterion.forwardBackward(logits, labels, { ...defer, stream });
    criterion.commit({ stream });
    const graph = CudaGraph.capture(stream, () => {
      for (let part = 0; part < 2; part++) {
        criterion.forwardBackward(logits, labels, { ...defer, stream });
      }
      criterion.commit({ stream });
    });
    expected.forwardBackward(given.logits, given.labels, defer);
    expected.commit();
    expect(criterion.statistics.steps).toBe(1);
    for (let replay = 1; replay <= 3; replay++) {
      graph.replay(stream);
      for (let part = 0; part < 2; part++) {
        expected.forwardBackward(given.logits, given.labels, defer);
      }
      expected.commit();
      expect(criterion.statistics.steps).toBe(1 + replay);
      expectClose('ratio', criterion.gradientRatio, expected.gradientRatio, CLOSE);
      expectClose('sums', criterion.statistics.negative, expected.statistics.negative, CLOSE);
    }
  });

  test('a captured copy on the device is made again by each replay', () => {
    const stream = new CudaStream();
    const source = CudaTensor.fromHost(Float32Array.of(1, 2));
    const target = CudaTensor.fromHost(Float32Array.of(0, 0));
    const graph = CudaGraph.capture(stream, () => {
      target.copyFrom(source, { stream });
    });
    expect([...values(target)]).toEqual([0, 0]);
    for (const next of [3, 4]) {
      source.copyFrom(Float32Array.of(next, next));
      graph.replay(stream);
      expect([...values(target)]).toEqual([next, next]);
    }
  });

  test('a captured step computes what was copied into its tensors', () => {
    const stream = new CudaStream();
    const { logits, labels } = uploaded(problem(12, classes, 1), classes);
    const criterion = new FocalLoss({ numClasses: classes });
    const grad = CudaTensor.empty(logits.shape);
    const step = () => criterion.forwardBackward(logits, labels, { stream, grad });
    step();
    const graph = CudaGraph.capture(stream, step);
    for (const seed of [2, 3]) {
      const next = problem(12, classes, seed);
      logits.copyFrom(next.logits, { stream });
      labels.copyFrom(next.labels, { stream });
      graph.replay(stream);
      const expected = criterion.forwardBackward(next.logits, next.labels);
      expectClose('grad', values(grad), expected.grad, CLOSE);
    }
  });

  test('values of the host are not captured, and the stream is usable afterwards', () => {
    const stream = new CudaStream();
    const { logits } = uploaded(problem(8, classes, 3), classes);
    const criterion = new FocalLoss({ numClasses: classes });
    const refused = [
      () => logits.copyFrom(new Float32Array(8 * classes), { stream }),
      () => CudaTensor.fromHost(Float32Array.of(1), { stream }),
      () => criterion.forward(logits, new Int32Array(8), { stream }),
    ];
    for (const work of refused) {
      expect(() => CudaGraph.capture(stream, work)).toThrow(matching({ code: 'EFL_CAPTURE' }));
    }
    expect(criterion.forward(logits, new Int32Array(8), { stream }).loss.item()).toBeGreaterThan(0);
  });

  test('captures do not nest', () => {
    const stream = new CudaStream();
    expect(() =>
      CudaGraph.capture(stream, () => {
        CudaGraph.capture(new CudaStream(), () => undefined);
      }),
    ).toThrow(matching({ code: 'EFL_CAPTURE' }));
    CudaGraph.capture(stream, () => undefined).replay();
  });

  test('results cannot be read within a capture, and the stream is usable afterwards', () => {
    const stream = new CudaStream();
    const { logits, labels } = uploaded(problem(8, classes, 3), classes);
    const criterion = new FocalLoss({ numClasses: classes });
    expect(() =>
      CudaGraph.capture(stream, () => {
        criterion.forward(logits, labels, { stream }).loss.item();
      }),
    ).toThrow(matching({ code: 'EFL_CAPTURE' }));
    expect(criterion.forward(logits, labels, { stream }).loss.item()).toBeGreaterThan(0);
  });

  test('nothing waits within a capture, and no graph is replayed there', async () => {
    const stream = new CudaStream();
    const { logits, labels } = uploaded(problem(8, classes, 3), classes);
    const criterion = new EqualizedFocalLoss({ numClasses: classes });
    const other = CudaGraph.capture(stream, () => undefined);
    const refused: Promise<unknown>[] = [];
    CudaGraph.capture(stream, () => {
      refused.push(
        logits.toHostAsync(),
        criterion.forwardBackwardAsync(logits, labels, { stream }),
        criterion.collectGradAsync(logits, labels, { stream }),
        criterion.synchronize(),
      );
      expect(() => {
        other.replay(stream);
      }).toThrow(matching({ code: 'EFL_CAPTURE' }));
    }).replay(stream);
    for (const call of refused) await expect(call).rejects.toMatchObject({ code: 'EFL_CAPTURE' });
    expect(criterion.statistics.steps).toBe(0);
    const later = async () => {
      await Promise.resolve();
    };
    expect(() => CudaGraph.capture(stream, later as () => void)).toThrow(
      matching({ argument: 'work' }),
    );
  });

  test('a captured result says that it has not been computed yet', () => {
    const stream = new CudaStream();
    const { logits, labels } = uploaded(problem(8, classes, 3), classes);
    const criterion = new FocalLoss({ numClasses: classes });
    const expected = criterion.forward(logits, labels).loss.item();
    let loss: CudaTensor | undefined;
    const graph = CudaGraph.capture(stream, () => {
      ({ loss } = criterion.forward(logits, labels, { stream }));
    });
    expect(() => loss!.item()).toThrow(matching({ code: 'EFL_CAPTURE' }));
    graph.replay();
    expect(loss!.item()).toBe(expected);
  });

  test('replays go on from a state that was replaced, wherever that was', () => {
    const stream = new CudaStream();
    const given = problem(30, classes, 37);
    const { logits, labels } = uploaded(given, classes);
    const criterion = new EqualizedFocalLoss({ numClasses: classes });
    const expected = new EqualizedFocalLoss({ numClasses: classes });
    const graph = CudaGraph.capture(stream, () => {
      criterion.forwardBackward(logits, labels, { stream });
    });
    const both = (change: (one: EqualizedFocalLoss) => void) => {
      change(criterion);
      change(expected);
      graph.replay();
      expected.forwardBackward(given.logits, given.labels);
      expect(criterion.statistics.steps).toBe(expected.statistics.steps);
      expectClose('ratio', criterion.gradientRatio, expected.gradientRatio, CLOSE);
    };
    both(() => undefined);
    both((one) => {
      one.reset();
    });
    both((one) => {
      one.forwardBackward(given.logits, given.labels); // on the host
    });
    both((one) => {
      one.mergeStatistics(one.statistics);
    });
  });

  test('what another stream has yet to write when it is captured is there for the replay', () => {
    const [stream, other] = [new CudaStream(), new CudaStream()];
    const given = problem(20, classes, 41);
    const labels = CudaTensor.fromHost(given.labels);
    const criterion = new FocalLoss({ numClasses: classes });
    let loss: CudaTensor | undefined;
    const graph = CudaGraph.capture(stream, () => {
      const logits = CudaTensor.fromHost(given.logits, { shape: [20, classes], stream: other });
      ({ loss } = criterion.forward(logits, labels, { stream }));
    });
    graph.replay();
    const expected = criterion.forward(given.logits, given.labels).loss;
    expectClose('loss', loss!.item(), expected, CLOSE);
  });

  test('memory that is let go of within a capture comes back', () => {
    const stream = new CudaStream();
    const tensor = CudaTensor.empty([2 ** 20], { stream });
    stream.synchronize();
    const before = memoryInfo().inUse;
    const graph = CudaGraph.capture(stream, () => {
      tensor.dispose();
    });
    graph.replay();
    graph.replay();
    CudaTensor.fromHost(new Float32Array(1)).toHost();
    expect(before - memoryInfo().inUse).toBeGreaterThanOrEqual(4 * 2 ** 20 - 4096);
  });
});

describeOnDevice('bad input on a device', () => {
  const classes = 4;
  const criterion = () => new EqualizedFocalLoss({ numClasses: classes });

  test('a bad label is thrown at the first read, and the state skips the call', async () => {
    const given = problem(10, classes, 1);
    given.labels[7] = 99;
    const { logits, labels } = uploaded(given, classes);
    const one = criterion();
    const output = one.forwardBackward(logits, labels);
    const expected = { argument: 'labels[7]', received: '99' };
    expect(() => output.loss.item()).toThrow(matching(expected));
    expect(() => output.grad.toHost()).toThrow(EflArgumentError);
    expect(() => output.positives).toThrow(EflArgumentError);
    await expect(one.forwardAsync(logits, labels)).rejects.toMatchObject(expected);
    expect(one.statistics.steps).toBe(0);
  });

  test.each([
    ['one gradOutput for all elements', 'sum'],
    ['a gradOutput for each element', 'none'],
  ] as const)('a call without a gradient leaves the state alone: 0 as %s', (_, reduction) => {
    const { logits, labels } = uploaded(problem(10, classes, 1), classes);
    const one = new EqualizedFocalLoss({ numClasses: classes, reduction });
    const zeros = CudaTensor.fromHost(new Float32Array(10 * classes), { shape: [10, classes] });
    one.forwardBackward(logits, labels, { gradOutput: reduction === 'none' ? zeros : 0 });
    one.collectGrad(zeros, labels);
    expect(one.statistics.steps).toBe(0);
    expect(one.gradientRatio).toEqual(new Float64Array(classes).fill(1));
  });

  testOnTwoDevices('tensors and streams of another device are refused by name', () => {
    const given = problem(10, classes, 1);
    const { logits, labels } = uploaded(given, classes);
    const one = criterion();
    const refused = (argument: string, call: () => unknown) => {
      expect(call).toThrow(matching({ argument }));
    };
    const stream = new CudaStream({ device: 1 });
    refused('labels', () => one.forward(logits, uploaded(given, classes, 1).labels));
    refused('stream', () => one.forward(logits, labels, { stream }));
    refused('source', () => labels.copyFrom(uploaded(given, classes, 1).labels));
    refused('stream', () => labels.copyFrom(given.labels, { stream }));
    expect(one.statistics.steps).toBe(0);
  });

  test('what cannot be copied into a tensor is refused, and nothing is copied', () => {
    const tensor = CudaTensor.fromHost(Float32Array.of(1, 2, 3, 4));
    const refused = (argument: string, source: unknown, options?: unknown) => {
      const copy = () => tensor.copyFrom(source as CudaTensor, options as object);
      expect(copy).toThrow(matching({ argument }));
    };
    refused('source', Float32Array.of(1));
    refused('source', CudaTensor.fromHost(Float32Array.of(1)));
    refused('source', Int32Array.of(1, 2, 3, 4));
    refused('source', CudaTensor.empty([4], { dtype: 'float16' }));
    refused('source', [1, 2, 3, 4]);
    refused('source', tensor);
    refused('source', CudaTensor.wrap({ pointer: tensor.pointer, shape: [4], owner: tensor }));
    refused('stream', Float32Array.of(5, 6, 7, 8), { stream: {} });
    refused('streams', Float32Array.of(5, 6, 7, 8), { streams: undefined });
    const gone = CudaTensor.empty([4]);
    gone.dispose();
    expect(() => tensor.copyFrom(gone)).toThrow(EflDisposedError);
    expect(() => gone.copyFrom(tensor)).toThrow(EflDisposedError);
    expect([...values(tensor)]).toEqual([1, 2, 3, 4]);
  });

  test('streams, events and tensors refuse what is none', () => {
    const stream = new CudaStream();
    const refused = (argument: string, call: () => unknown) => {
      expect(call).toThrow(matching({ argument }));
    };
    refused('device', () => CudaTensor.empty([1], { device: 700 }));
    refused('pointer', () => CudaTensor.wrap({ pointer: 4096n, shape: [1] }));
    refused('event', () => {
      stream.wait({ device: 0 } as never);
    });
    refused('start', () => new CudaEvent().elapsedSince(undefined as never));
    refused('options', () => CudaTensor.empty([2], 5 as never));
    refused('dtyp', () => CudaTensor.empty([2], { dtyp: 'float16' } as object));
    refused('pointer', () => CudaTensor.wrap({ pointer: 2n ** 64n, shape: [1] }));
  });

  test('labels of levels may be on the host and on the device, and a bad one is found among many', () => {
    const one = criterion();
    const count = 300;
    const logits = Array.from({ length: count }, () => CudaTensor.empty([1, classes]));
    const labels = logits.map((_, level) =>
      level % 2 ? Int32Array.of(1) : CudaTensor.fromHost(Int32Array.of(2)),
    );
    expect(one.forward(logits, labels).positives).toBe(count);
    labels[299] = Int32Array.of(99);
    expect(() => one.forward(logits, labels).positives).toThrow(
      matching({ argument: 'labels[299][0]', received: '99' }),
    );
  });

  test('a disposed tensor is refused', () => {
    const { logits, labels } = uploaded(problem(10, classes, 1), classes);
    logits.dispose();
    logits.dispose();
    expect(() => criterion().forward(logits, labels)).toThrow(EflDisposedError);
    expect(() => logits.toHost()).toThrow(EflDisposedError);
  });

  test('memory that a device does not have is a typed error, and all goes on', () => {
    const { free } = memoryInfo();
    expect(() => CudaTensor.empty([free + 2 ** 20])).toThrow(EflOutOfMemoryError);
    const { logits, labels } = uploaded(problem(10, classes, 1), classes);
    expect(criterion().forward(logits, labels).loss.item()).toBeGreaterThan(0);
  });

  test('labels that were copied for a call that is refused are given back', () => {
    const { logits } = uploaded(problem(1000, classes, 1), classes);
    const labels = new Int32Array(1000);
    logits.toHost(); // waits for what has been given back
    const before = memoryInfo().inUse;
    const call = { collect: 'yes' } as unknown as { collect: boolean };
    expect(() => criterion().forwardBackward(logits, labels, call)).toThrow(EflArgumentError);
    logits.toHost();
    expect(memoryInfo().inUse).toBe(before);
  });

  test('a call that runs out of memory gives back what it had got', () => {
    const blockBytes = 2 ** 26;
    const one = new FocalLoss({ numClasses: 1024, reduction: 'none' });
    const rows = (0.75 * blockBytes) / 4096;
    const logits = CudaTensor.empty([rows, 1024]);
    const labels = CudaTensor.fromHost(new Int32Array(rows));
    const fillers = [blockBytes, blockBytes / 4].flatMap(allocateAll);
    // Room for the gradient, and not for the elements.
    fillers[0]!.dispose();
    const inUse = (): number => {
      labels.toHost(); // waits for what has been given back
      return memoryInfo().inUse;
    };
    const before = inUse();
    expect(() => one.forwardBackward(logits, labels)).toThrow(EflOutOfMemoryError);
    expect(inUse()).toBe(before);
    for (const tensor of [...fillers, logits, labels]) tensor.dispose();
  });
});

/** Blocks of memory until there are no more. */
function allocateAll(bytes: number): CudaTensor[] {
  const blocks: CudaTensor[] = [];
  try {
    for (;;) blocks.push(CudaTensor.empty([bytes / 4]));
  } catch (error) {
    expect(error).toBeInstanceOf(EflOutOfMemoryError);
    return blocks;
  }
}

describeOnDevice('a stream of somebody else', () => {
  test('is the same order of work, and is left to its owner', () => {
    const { logits, labels } = uploaded(problem(10, 3, 1), 3);
    const criterion = new FocalLoss({ numClasses: 3 });
    const owner = new CudaStream();
    const wrapped = CudaStream.wrap({ handle: owner.handle });
    expect(wrapped.handle).toBe(owner.handle);
    const { loss } = criterion.forward(logits, labels, { stream: wrapped });
    owner.synchronize();
    expect(loss.item()).toBe(criterion.forward(logits, labels).loss.item());
    loss.dispose();
    wrapped.dispose();
    expect(() => wrapped.handle).toThrow(EflDisposedError);
    criterion.forward(logits, labels, { stream: owner });
    owner.synchronize();
  });

  test.each([0n, -1n, 2n ** 64n, 1, undefined])('is refused as %s', (handle) => {
    expect(() => CudaStream.wrap({ handle: handle as bigint })).toThrow(/^handle: /);
  });
});

describeOnDevice('memory of a device', () => {
  test('gradients and counts can be read when the loss has been disposed of', () => {
    const { logits, labels } = uploaded(problem(8, 3, 3), 3);
    const output = new FocalLoss({ numClasses: 3 }).forwardBackward(logits, labels);
    output.loss.dispose();
    expect(output.grad.toHost().data).toHaveLength(24);
    expect(output.positives).toBeGreaterThan(0);
    expect(() => output.loss.item()).toThrow(EflDisposedError);
  });

  test('that of somebody else is used where it is, and not freed', () => {
    const owner = CudaTensor.fromHost(Float32Array.of(1, 2, 3, 4));
    const { pointer } = owner;
    const view = CudaTensor.wrap({ pointer, shape: [2, 2], owner });
    expect([...view.toHost().data]).toEqual([1, 2, 3, 4]);
    view.dispose();
    expect([...owner.toHost().data]).toEqual([1, 2, 3, 4]);
  });

  test('comes back with dispose', () => {
    const stream = new CudaStream();
    const before = memoryInfo().inUse;
    const tensor = CudaTensor.empty([1024, 1024], { stream });
    expect(memoryInfo().inUse - before).toBeGreaterThanOrEqual(4 * 1024 * 1024);
    tensor.dispose();
    stream.synchronize();
    expect(memoryInfo().inUse).toBeLessThanOrEqual(before);
  });
});
