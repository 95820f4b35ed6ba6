import * as efl from '../../lib';
import { expectRefused, rejectionOf, thrownBy, wrong } from '../reference/harness';

const CLASSES = [
  efl.EflArgumentError,
  efl.EflLoadError,
  efl.EflBackendUnavailableError,
  efl.EflDisposedError,
  efl.EflAbortError,
  efl.EflQueueFullError,
] as const;

describe('errors', () => {
  test.each(CLASSES.map((type) => [type.name, type] as const))(
    '%s extends EflError, which extends Error',
    (_, type) => {
      expect(type.prototype).toBeInstanceOf(efl.EflError);
      expect(type.prototype).toBeInstanceOf(Error);
    },
  );

  test('of arguments say which, what was expected and what came', () => {
    const error = expectRefused(() => new efl.FocalLoss({ numClasses: 0 }), 'numClasses');
    expect(error).toMatchObject({ code: 'EFL_ARGUMENT', name: 'EflArgumentError' });
    expect(error.received).toBe('0');
    expect(error.expected).not.toBe('');
    expect(error.message).toBe(`numClasses: expected ${error.expected}, received 0`);
    expect(error.stack).toMatch(/errors\.test\.[jt]s/);
  });

  test('of arguments that native code finds look the same', () => {
    const criterion = new efl.FocalLoss({ numClasses: 2 });
    const error = expectRefused(() => criterion.forward(new Float32Array(2), [3]), 'labels[0]');
    expect(error).toMatchObject({ code: 'EFL_ARGUMENT', name: 'EflArgumentError', received: '3' });
    expect(error.message).toBe(`labels[0]: expected ${error.expected}, received 3`);
  });

  test('show long or strange values in short', () => {
    for (const value of [new Float32Array(1e5), 'x'.repeat(1e5), { a: 1 }, 12n, null, () => 1]) {
      const error = expectRefused(
        () => new efl.FocalLoss({ numClasses: wrong(value) }),
        'numClasses',
      );
      expect(error.received.length).toBeGreaterThan(0);
      expect(error.received.length).toBeLessThan(200);
    }
  });

  test('of disposed criteria have their code and name', () => {
    const criterion = new efl.FocalLoss({ numClasses: 2 });
    criterion.dispose();
    const error = thrownBy(() => criterion.forward(new Float32Array(2), [0]));
    expect(error).toMatchObject({ code: 'EFL_DISPOSED', name: 'EflDisposedError' });
    expect((error as Error).message).toContain('FocalLoss');
  });

  test('of aborted calls are an AbortError with the reason as cause', async () => {
    const criterion = new efl.FocalLoss({ numClasses: 2 });
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    const error = await rejectionOf(criterion.forwardAsync(new Float32Array(2), [0], { signal }));
    expect(error).toBeInstanceOf(efl.EflAbortError);
    expect(error).toMatchObject({ code: 'EFL_ABORTED', name: 'AbortError' });
    expect((error as Error).cause).toBe(reason);
  });

  test('of a backend that is missing name it and say why', () => {
    const cuda = efl.backends().find(({ name }) => name === 'cuda');
    if (cuda?.available === true) {
      expect(() => new efl.FocalLoss({ numClasses: 2, device: 'cuda' })).not.toThrow();
      return;
    }
    const error = thrownBy(() => new efl.FocalLoss({ numClasses: 2, device: 'cuda' }));
    expect(error).toBeInstanceOf(efl.EflBackendUnavailableError);
    expect(error).toMatchObject({ code: 'EFL_BACKEND_UNAVAILABLE', backend: 'cuda' });
    expect((error as efl.EflBackendUnavailableError).reason).not.toBe('');
  });
});
