import { readFileSync } from 'node:fs';
import path from 'node:path';
import { jsonSchema, parseReport } from '../../bench/report/schema';
import { report, workload } from './bench-report.fixture';

test('the schema takes a report as it is', () => {
  expect(parseReport(JSON.stringify(report))).toEqual(report);
});

test('the schema says what is wrong, and where', () => {
  const [copy, other, ...more] = workload.results;
  const withoutThreads = { ...copy!, threads: undefined };
  const timesCopy = { ...other!.timesCopy, lower: 1e9 };
  const results = [withoutThreads, { ...other!, timesCopy }, ...more];
  const machine = { ...report.machine, cores: '2' };
  const wrong = JSON.stringify({ ...report, machine, workloads: [{ ...workload, results }] });
  expect(() => parseReport(wrong)).toThrow(/machine\.cores: .*expected number/);
  expect(() => parseReport(wrong)).toThrow(/workloads\.0\.results\.0\.threads: /);
  expect(() => parseReport(wrong)).toThrow(
    /workloads\.0\.results\.1\.timesCopy: the median has to lie between/,
  );
});

test('the schema refuses what is no report', () => {
  expect(() => parseReport('{')).toThrow(/not even JSON/);
  expect(() => parseReport('[]')).toThrow(/\(the whole\): .*expected object/);
});

test('report.schema.json and the stored reports are up to date', () => {
  const root = path.join(__dirname, '..', '..');
  const read = (...place: string[]) => readFileSync(path.join(root, ...place), 'utf8');
  expect(JSON.parse(read('bench', 'report', 'report.schema.json'))).toEqual(
    JSON.parse(jsonSchema()),
  );
  expect(() => parseReport(read('docs', 'performance.json'))).not.toThrow();
});
