import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  { ignores: ['dist/', 'node_modules/'] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // The tracker is built for browsers without ??, which would be written out at length.
      '@typescript-eslint/prefer-nullish-coalescing': 'off',
      // A check would cost bytes where the code around it already knows.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Constants are const enums, which the bundler puts in place of their names; numbers are compared with them.
      '@typescript-eslint/no-unsafe-enum-comparison': 'off',
      // The minifier puts a function that is one expression in the place of its call; one with statements it does not.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      'max-lines': ['error', { max: 400, skipBlankLines: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true }],
    },
  },
  {
    files: ['*.mjs'],
    languageOptions: { globals: { console: 'readonly', process: 'readonly', Buffer: 'readonly' } },
  },
  {
    files: ['test/**'],
    rules: { 'max-lines-per-function': 'off' },
  },
);
