import { defineConfig } from 'vite';

export default defineConfig({
  build: {
    ssr: 'server.mjs',
    emitAssets: true,
    rolldownOptions: { moduleTypes: { '.node': 'copy' } },
  },
  ssr: { noExternal: true },
});
