import { readFileSync } from 'node:fs';
import path from 'node:path';
import { backends, EqualizedFocalLoss, FocalLoss, version } from '../../lib';
import { expectSameOutput, makeSample } from '../reference/harness';

describe('backends', () => {
  test('has the CPU, available, with a detail', () => {
    const cpu = backends().find(({ name }) => name === 'cpu');
    expect(cpu).toMatchObject({ name: 'cpu', available: true });
    expect(cpu!.detail).not.toBe('');
  });

  test('gives a reason exactly for those that are not available', () => {
    for (const { available, reason = '' } of backends()) {
      expect(reason === '').toBe(available);
    }
  });

  test('names each once', () => {
    const names = backends().map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('is a new list each time', () => {
    backends().length = 0;
    expect(backends().length).toBeGreaterThan(0);
  });
});

describe('the device', () => {
  test.each(['auto', 'cpu'] as const)('%s is accepted and shown in the options', (device) => {
    expect(new FocalLoss({ numClasses: 2, device }).options.device).toBe(device);
    expect(new EqualizedFocalLoss({ numClasses: 2, device }).options.device).toBe(device);
  });

  test('auto computes what the CPU does', () => {
    const { logits, labels } = makeSample(161, 9, 5);
    const on = (device: 'auto' | 'cpu') =>
      new FocalLoss({ numClasses: 5, device }).forwardBackward(logits, labels);
    expectSameOutput(on('auto'), on('cpu'));
  });
});

describe('version', () => {
  test('is that of the package', () => {
    const manifest = readFileSync(path.join(__dirname, '../../package.json'), 'utf8');
    expect(JSON.parse(manifest)).toMatchObject({ version });
  });
});
