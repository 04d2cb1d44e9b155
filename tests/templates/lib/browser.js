// A headless Chromium with the modeler's page in it.

import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { build } from 'esbuild';
import puppeteer from 'puppeteer-core';

const PAGE = fileURLToPath(new URL('../page/', import.meta.url));

/** Makes the page with the modeler in a folder. */
export async function bundle(folder) {
  await build({
    entryPoints: [join(PAGE, 'main.js')],
    outfile: join(folder, 'main.js'),
    bundle: true,
    format: 'iife',
    globalName: 'panel',
    loader: { '.eot': 'empty', '.svg': 'dataurl', '.ttf': 'dataurl', '.woff': 'dataurl', '.woff2': 'dataurl' },
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
  await cp(join(PAGE, 'index.html'), join(folder, 'index.html'));
}

function chromium() {
  const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const found = places.find((path) => path && existsSync(path));
  if (!found) throw new Error('no Chromium found: install the package chromium or set CHROMIUM');
  return found;
}

/**
 * Starts a browser on a bundled page; `call(name, ...arguments)` calls a function of page/main.js.
 * `complaints` collects what the page logs as warning or error.
 */
export async function startBrowser(folder) {
  const browser = await puppeteer.launch({
    executablePath: chromium(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    defaultViewport: { width: 1200, height: 900 },
  });
  const page = await browser.newPage();
  const complaints = [];
  page.on('console', (message) => {
    if (['warn', 'error'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(pathToFileURL(join(folder, 'index.html')).href);
  const call = (name, ...given) => page.evaluate((name, given) => window.panel[name](...given), name, given);
  return { page, call, complaints, stop: () => browser.close() };
}
