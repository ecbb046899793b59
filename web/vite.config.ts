import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** What is made with the browser and is no test: `make web-check` and `make pictures`. */
function measured(name: string): TestProjectInlineConfiguration {
  return {
    extends: true,
    test: {
      name,
      include: [`e2e/${name}.ts`],
      environment: 'node',
      globalSetup: ['e2e/global-setup.ts'],
      testTimeout: 300_000,
      hookTimeout: 120_000,
      disableConsoleIntercept: true,
    },
  };
}

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    outDir: 'dist',
    emptyOutDir: false, // `make` empties it: placeholder.txt, which is in git, has to stay
    target: 'es2023',
    assetsInlineLimit: 0, // the page's Content-Security-Policy allows no inline code
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      '/api': 'http://127.0.0.1:8080',
      '/ws': { target: 'ws://127.0.0.1:8080', ws: true },
      '/version': 'http://127.0.0.1:8080',
    },
  },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.{ts,tsx}'],
          environment: 'jsdom',
          setupFiles: ['src/test-setup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['e2e/**/*.e2e.ts'],
          environment: 'node',
          globalSetup: ['e2e/global-setup.ts'],
          setupFiles: ['e2e/failures.ts'],
          testTimeout: 60_000,
          expect: { poll: { timeout: 20_000 } }, // a try that failed is repeated after up to 15 s
          hookTimeout: 60_000,
          fileParallelism: false,
          retry: process.env.CI ? 1 : 0, // and reported: the machines of CI are busy
        },
      },
      measured('figures'),
      measured('pictures'),
    ],
  },
});
