// Refuses the imports of lib and bench that architecture.json does not allow.
import { noCircle, rooms, ruleOf } from './scripts/architecture.mjs';

const escaped = (path) => path.replaceAll('.', '\\.');
const pattern = (paths) => `^(${paths.map(escaped).join('|')})(/|$)`;

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...rooms.map((room) => ({
      name: ruleOf(room),
      severity: 'error',
      from: { path: pattern(room.files) },
      to: { dependencyTypes: ['local'], pathNot: pattern([...room.files, ...room.mayUse]) },
    })),
    { name: noCircle, severity: 'error', from: {}, to: { circular: true } },
    // The benchmark imports the built package, which has to be there to be found.
    {
      name: 'a file that is imported exists',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, path: '^\\.' },
    },
  ],
  options: {
    // An import of types alone counts, too.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: '(^|/)node_modules/|^dist/' },
  },
};
