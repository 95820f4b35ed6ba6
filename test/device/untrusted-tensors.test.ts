import {
  CudaEvent,
  CudaGraph,
  CudaStream,
  CudaTensor,
  EflArgumentError,
  EflDisposedError,
  EqualizedFocalLoss,
  FocalLoss,
} from '../../lib/index';
import { addon } from '../../lib/binding/load';
import { expectSame } from '../reference/compare';
import { expectRefused, rejectionOf, stateOf, expectSameState, wrong } from '../reference/harness';
import { describeOnDevice } from './emulated';

const values = Float32Array.of(1, -2, 0.5, 3, -1, 0.25);
const labels = Int32Array.of(1, 0, 2);
const CLASSES = 2;

const tensor = (): CudaTensor => CudaTensor.fromHost(values, { shape: [3, CLASSES] });

describeOnDevice('a device tensor', () => {
  test.each(['shape', 'dtype', 'device'])('has a %s that cannot be changed', (name) => {
    const one = tensor();
    const other = { shape: [1 << 20], dtype: 'int32', device: 7 }[name];
    expect(() => Object.assign(one, { [name]: other })).toThrow(TypeError);
    expect(() => Object.defineProperty(one, name, { value: other })).toThrow(TypeError);
    expect(() => {
      (one.shape as number[])[0] = 1 << 20;
    }).toThrow(TypeError);
    expectSame('values', one.toHost().data, values);
  });

  test('has the shape that was looked at, whatever a proxy says later', () => {
    let reads = 0;
    const shape = new Proxy([3, CLASSES], {
      get: (target, name): unknown => {
        if (name === '0') reads += 1;
        return name === '0' && reads > 1 ? 1 << 20 : Reflect.get(target, name);
      },
    });
    expect(CudaTensor.empty(shape).shape).toEqual([3, CLASSES]);
    expect(reads).toBe(1);
  });

  test('has at most 64 dimensions, of sizes that memory has', () => {
    const holes = new Array<number>(2 ** 32 - 1);
    const large = [[2 ** 30, 2 ** 30], [2 ** 52]];
    for (const shape of [holes, [2, -1], [1.5], '3', ...large, undefined]) {
      expectRefused(() => CudaTensor.empty(wrong(shape)), 'shape');
    }
    const { pointer } = tensor();
    expectRefused(() => CudaTensor.wrap({ pointer, shape: [2 ** 52] }), 'shape');
  });

  test('of no values has memory that can be written and read', () => {
    const none = CudaTensor.fromHost(new Float32Array(0)).copyFrom(new Float32Array(0));
    expect(none.toHost()).toMatchObject({ data: new Float32Array(0), shape: [0] });
    expect(none.pointer).toBeGreaterThan(0n);
  });

  test('is no tensor for its prototype alone', () => {
    const criterion = new FocalLoss({ numClasses: CLASSES });
    const claimed = Object.create(CudaTensor.prototype) as CudaTensor;
    const proxied = new Proxy(tensor(), {});
    for (const logits of [claimed, proxied, [claimed]]) {
      expectRefused(() => criterion.forward(wrong(logits), labels), /^logits/);
    }
    expectRefused(() => criterion.forward(tensor(), claimed), 'labels');
    expectRefused(() => tensor().copyFrom(claimed), /^source/);
    const stream = Object.create(CudaStream.prototype) as CudaStream;
    expectRefused(() => criterion.forward(tensor(), labels, { stream }), 'stream');
    const event = Object.create(CudaEvent.prototype) as CudaEvent;
    expectRefused(() => {
      new CudaStream().wait(event);
    }, 'event');
  });

  test.each(['device'])('streams, events and graphs keep their %s', (name) => {
    const stream = new CudaStream();
    const one = tensor();
    const graph = CudaGraph.capture(stream, () => one.copyFrom(CudaTensor.empty([6]), { stream }));
    for (const object of [stream, new CudaEvent(), graph]) {
      expect(() => Object.assign(object, { [name]: 1 })).toThrow(TypeError);
    }
  });
});

/** How the addon says it; its errors are of the realm outside of the test runner's. */
const refused = / must be |: expected /;

describeOnDevice('the addon', () => {
  const memory = (bytes: number) => new (addon().DeviceMemory)(0, bytes);

  test('copies no more than the memory has', () => {
    const small = memory(8);
    expect(() => {
      small.upload(new Float32Array(3), undefined);
    }).toThrow(refused);
    expect(() => {
      small.download(new Float64Array(2));
    }).toThrow(refused);
    expect(() => {
      small.submitDownload(new Uint8Array(9), new Float64Array(8), () => undefined);
    }).toThrow(refused);
    for (const bytes of [9, -1, NaN, Infinity, 2 ** 60, 0.5]) {
      expect(() => {
        memory(64).copyFrom(small, bytes, undefined);
      }).toThrow(refused);
      expect(() => {
        small.copyFrom(memory(64), bytes, undefined);
      }).toThrow(refused);
    }
  });

  test('fills the memory with what is uploaded', () => {
    for (const length of [0, 1]) {
      expect(() => {
        memory(8).upload(new Float32Array(length), undefined);
      }).toThrow(refused);
    }
    const filled = memory(8);
    filled.upload(Float32Array.of(1, 2), undefined);
    const copy = new Float32Array(2);
    filled.download(copy);
    expectSame('values', copy, Float32Array.of(1, 2));
  });

  test('knows how much of the memory of somebody else there is', () => {
    const owner = memory(64);
    const part = new (addon().DeviceMemory)(0, 8, owner.pointer, owner);
    expect(() => {
      part.download(new Float32Array(3));
    }).toThrow(refused);
    part.download(new Float32Array(2));
    expect(() => new (addon().DeviceMemory)(0, 64, 2n ** 64n - 32n)).toThrow(refused);
  });

  test('tells the objects of a device apart', () => {
    const stream = new (addon().DeviceStream)(0);
    const event = new (addon().DeviceEvent)(0);
    const mistaken: (() => unknown)[] = [
      () => {
        memory(8).copyFrom(wrong(stream), 8, undefined);
      },
      () => {
        memory(8).copyFrom(wrong({}), 8, undefined);
      },
      () => {
        memory(8).upload(new Float32Array(1), wrong(event));
      },
      () => {
        stream.wait(wrong(stream));
      },
      () => {
        event.record(wrong(memory(8)));
      },
      () => {
        event.elapsedSince(wrong(stream));
      },
      () => new (addon().DeviceGraph)(wrong(event)),
      () => new (addon().DeviceMemory)(0, 8, wrong(event)),
    ];
    for (const call of mistaken) expect(call).toThrow(refused);
  });

  test('computes on nothing that is shorter than the call', () => {
    const { Criterion, block, codes } = addon();
    const criterion = new Criterion('EqualizedFocalLoss', {
      numClasses: 2,
      background: codes.background.first,
      ignoreIndex: Int32Array.of(-1),
      reduction: codes.reduction.sum,
      device: -1,
    });
    for (const number of ['normalizer', 'gradOutput', 'lossScale', 'collect'] as const) {
      block[codes.slot[number]!] = 1;
    }
    block[codes.slot.gradientsGiven] = 0;
    const { bytes } = codes.deviceReport;
    const geometry = Int32Array.of(0, 0, 0, 1, 1, 3);
    type Parameters_ = Parameters<typeof criterion.runOnDevice>;
    const good: Parameters_ = [
      ...([[memory(24)], [memory(12)], [memory(24)], undefined, undefined, undefined] as const),
      ...([undefined, geometry, undefined, undefined, undefined] as const),
      ...([0, memory(bytes), undefined, undefined, undefined] as const),
    ] as unknown as Parameters_;
    const run = (place: number, argument: unknown): void => {
      const call = [...good];
      call[place] = argument as never;
      criterion.runOnDevice(...(call as unknown as Parameters_));
    };
    expect(() => {
      run(11, 0);
    }).not.toThrow();
    const bad: [place: number, argument: unknown][] = [
      [0, [memory(20)]],
      [0, []],
      [0, undefined],
      [1, [memory(8)]],
      [1, undefined],
      [2, [memory(20)]],
      [3, [memory(20)]],
      [4, [memory(20)]],
      [5, [memory(8)]],
      [6, [memory(24)]],
      [7, Int32Array.of(0, 0, 0, 1, 1)],
      [7, Int32Array.of(0, 0, 0, 1)],
      [7, Int32Array.of(7, 0, 0, 1, 1, 3)],
      [7, Int32Array.of(0, 2, 0, 1, 1, 3)],
      [7, Int32Array.of(0, 0, 0, 0, 1, 3)],
      [7, Int32Array.of(0, 0, 0, 1, 1, -3)],
      [7, Int32Array.of(0, 0, 0, 1, 1, 4)],
      [7, Int32Array.of(0, 0, 0, 2147483647, 2147483647, 2147483647)],
      [8, [memory(8)]],
      [9, [memory(5)]],
      [10, memory(1)],
      [12, memory(bytes - 8)],
      [12, undefined],
      [13, memory(bytes)],
      [14, memory(2)],
      [15, memory(2)],
    ];
    for (const [place, argument] of bad) {
      expect(() => {
        run(place, argument);
      }).toThrow(refused);
    }
  });
});

describeOnDevice('a copy to a device whose arguments change while they are read', () => {
  const detach = (data: ArrayBufferView): void => {
    structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
  };
  /** A list of one size, which does something when it is read. */
  const acting = (size: number, act: () => void): number[] =>
    Object.defineProperty([size], 0, {
      get(): number {
        act();
        return size;
      },
    });

  test.each(['Float32Array', 'Int32Array'] as const)(
    'refuses values of a %s that its shape takes away',
    (name) => {
      const sourceOf = () => {
        const data = new { Float32Array, Int32Array }[name](4).fill(1);
        const shape = acting(4, () => {
          detach(data);
        });
        return { data: data as Float32Array, shape };
      };
      const bare = sourceOf();
      expectRefused(() => CudaTensor.fromHost(bare.data, { shape: bare.shape }), /^source/);
      expectRefused(() => CudaTensor.fromHost(sourceOf()), /^source/);
      const target = CudaTensor.empty([4], { dtype: name === 'Int32Array' ? 'int32' : 'float32' });
      expectRefused(() => target.copyFrom(sourceOf()), /^source/);
    },
  );

  test('goes through a shape once, whatever a proxy says of its length', () => {
    const data = new Float32Array(4);
    let reads = 0;
    const shape = new Proxy([4], {
      get(target, name): unknown {
        if (name === 'length') reads += 1;
        if (name === 'length' && reads <= 2) return 1000;
        if (name === '0') detach(data);
        return Reflect.get(target, name);
      },
    });
    expectRefused(() => CudaTensor.fromHost({ data, shape }), /^source/);
    expect(data).toHaveLength(4);
  });

  test('reports a tensor that was disposed of meanwhile', () => {
    const ofHost = (target: CudaTensor) => ({
      get data(): Float32Array {
        target.dispose();
        return new Float32Array(6);
      },
      shape: [6],
    });
    const one = tensor();
    expect(() => one.copyFrom(ofHost(one))).toThrow(EflDisposedError);
    const [from, to] = [tensor(), tensor()];
    const disposing = (disposed: { dispose(): void }, stream?: CudaStream) => ({
      get stream(): CudaStream | undefined {
        disposed.dispose();
        return stream;
      },
    });
    expect(() => to.copyFrom(from, disposing(from))).toThrow(EflDisposedError);
    expect(() => to.copyFrom(tensor(), disposing(to))).toThrow(EflDisposedError);
    const stream = new CudaStream();
    expect(() => tensor().copyFrom(values, disposing(stream, stream))).toThrow(EflDisposedError);
    const [late, last] = [new CudaStream(), tensor()];
    expect(() => last.copyFrom(ofHost(late as never), { stream: late })).toThrow(EflDisposedError);
  });
});

describeOnDevice('a call on a device whose arguments change while they are read', () => {
  test('takes from a list what it looked at', () => {
    const [small, large] = [
      tensor(),
      CudaTensor.fromHost(new Float32Array(60), { shape: [30, 2] }),
    ];
    let reads = 0;
    const list = new Proxy([small], {
      get: (target, name): unknown => {
        if (name !== '0') return Reflect.get(target, name);
        reads += 1;
        return reads > 2 ? large : small; // what tells where the logits are looks, too
      },
    });
    const criterion = new FocalLoss({ numClasses: CLASSES });
    const output = criterion.forwardBackward(list, [labels], {
      grad: new Proxy([CudaTensor.empty([3, CLASSES])], {}),
    });
    expect(output.positives).toBe(2);
    expect(reads).toBe(2);
  });

  test.each(['logits', 'labels', 'stream', 'grad'])(
    'refuses %s that were disposed of meanwhile, and has changed nothing',
    async (name) => {
      const criterion = new EqualizedFocalLoss({ numClasses: CLASSES, reduction: 'none' });
      const before = stateOf(criterion);
      const call = () => {
        const stream = new CudaStream();
        const parts = {
          logits: tensor(),
          labels: CudaTensor.fromHost(labels),
          grad: CudaTensor.empty([3, CLASSES]),
          gradOutput: CudaTensor.fromHost(new Float32Array(6).fill(1)),
          stream,
        };
        const options = {
          stream,
          gradOutput: new Proxy([parts.gradOutput], {
            get: (target, key): unknown => {
              if (key === '0') (parts as unknown as Record<string, CudaTensor>)[name]!.dispose();
              return Reflect.get(target, key);
            },
          }),
          grad: [parts.grad],
        };
        return [[parts.logits], [parts.labels], options] as const;
      };
      const [logits, rows, options] = call();
      expect(() => criterion.forwardBackward(logits, rows, options)).toThrow(EflDisposedError);
      const later = await rejectionOf(criterion.forwardBackwardAsync(...call()));
      expect(later).toBeInstanceOf(EflDisposedError);
      expectSameState(stateOf(criterion), before);
    },
  );

  test('reports the criterion that was disposed of meanwhile', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: CLASSES });
    const call = {
      get lossScale(): number {
        criterion.dispose();
        return 1;
      },
    };
    expect(() => criterion.forwardBackward(tensor(), labels, call)).toThrow(EflDisposedError);
  });

  test('reads the signal once', async () => {
    const criterion = new EqualizedFocalLoss({ numClasses: CLASSES });
    let reads = 0;
    const call = {
      get signal(): AbortSignal | undefined {
        reads += 1;
        return undefined;
      },
    };
    await criterion.forwardBackwardAsync(tensor(), labels, call);
    await criterion.collectGradAsync(tensor(), labels, call);
    expect(reads).toBe(2);
    const signal = AbortSignal.abort();
    const refused = await rejectionOf(criterion.forwardAsync(tensor(), labels, { signal }));
    expect(refused).toMatchObject({ name: 'AbortError' });
  });
});

describeOnDevice('calls on a device', () => {
  test('take labels of the host in integers of any type', () => {
    const criterion = new FocalLoss({ numClasses: CLASSES });
    const { positives } = criterion.forward(tensor(), BigInt64Array.of(1n, 0n, 2n));
    expect(positives).toBe(2);
    const tensors = { data: Uint8Array.of(1, 0, 2), dims: [3], type: 'uint8' };
    expect(criterion.forward([tensor()], [tensors]).positives).toBe(2);
    expect(() => CudaTensor.fromHost(wrong(BigInt64Array.of(1n)))).toThrow(EflArgumentError);
  });

  test('take maps of any number of dimensions', () => {
    const data = Float32Array.from({ length: 48 }, (_, i) => Math.sin(i));
    const rows = Int32Array.from({ length: 24 }, (_, i) => i % 3);
    const criterion = new FocalLoss({ numClasses: CLASSES });
    const call = { layout: 'NCHW' } as const;
    const volume = CudaTensor.fromHost(data, { shape: [1, CLASSES, 2, 3, 4] });
    const plane = CudaTensor.fromHost(data, { shape: [1, CLASSES, 6, 4] });
    const output = criterion.forwardBackward(volume, rows, call);
    const wanted = criterion.forwardBackward(plane, rows, call);
    expect(output.grad.shape).toEqual([1, CLASSES, 2, 3, 4]);
    expect(output.loss.item()).toBe(wanted.loss.item());
    const grad = output.grad.toHost().data as Float32Array;
    expectSame('grad', grad, wanted.grad.toHost().data);
    const shaped = CudaTensor.fromHost({ data: rows, shape: [1, 2, 3, 4, 1] });
    expect(criterion.forward(volume, shaped, call).positives).toBe(16);
  });
});
