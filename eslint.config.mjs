import tseslint from 'typescript-eslint';
import prettier from 'eslint-config-prettier';

export default tseslint.config(
  {
    ignores: [
      '**/node_modules/**',
      '**/dist/**',
      'build/**',
      'build-cmake*/**',
      'prebuilds/**',
      'gpu-bundle/**',
      '**/runs/**',
      'coverage/**',
      'examples/**',
      'lib/adapters/tfjs/tfjs-core.d.ts',
      '**/*.mjs',
      '**/*.cjs',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // Bounds of typed arrays are checked by validation, not by the type system.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Calls from plain JavaScript bring values the types rule out; validation has to test for them.
      '@typescript-eslint/no-unnecessary-condition': 'off',
    },
  },
  prettier,
);
