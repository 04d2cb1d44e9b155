// Pictures of filled-in panels, for the documentation.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle, startBrowser } from './lib/browser.js';
import { placesOf } from './lib/diagram.js';
import { current, IMAGES } from './lib/files.js';
import { fill } from './lib/survey.js';

const PICTURES = [
  {
    picture: 'template-record-create',
    name: 'servicenow-record',
    values: { table: 'incident', fields: '={short_description: "Order " + orderId + " failed", urgency: 2}' },
  },
  {
    picture: 'template-incident-create',
    name: 'servicenow-incident',
    values: {
      'fields.short_description': '="Order " + orderId + " failed"',
      'fields.description': 'The shop could not book the payment. The order waits.',
      'fields.assignment_group': '287ebd7da9fe198100f92cc8d1d2154e',
      'fields.impact': '2',
      'fields.urgency': '2',
      'fields.category': 'software',
    },
  },
  {
    picture: 'template-message-catch',
    name: 'servicenow-message-catch',
    values: { 'message.name': 'servicenow.incident.resolved', correlationKey: '=serviceNow.sysId' },
  },
];

async function take({ page, call }, { picture, name, values }) {
  const { template } = current().find((file) => file.name === name);
  const { red } = await fill(call, template, {
    chosen: {}, place: placesOf(template)[0], processId: 'order', values, more: Object.keys(values), openAll: false,
  });
  if (red.length > 0) throw new Error(`${picture}: ${red}`);
  const height = await call('height');
  await page.setViewport({ width: 1200, height: height + 4, deviceScaleFactor: 1.5 });
  const panel = await page.$('#panel');
  const path = join(IMAGES, `${picture}.png`);
  await panel.screenshot({ path });
  console.log(`${path}: 380 x ${height} px`);
}

const folder = mkdtempSync(join(tmpdir(), 'template-pictures-'));
mkdirSync(IMAGES, { recursive: true });
await bundle(folder);
for (const picture of PICTURES) {
  const browser = await startBrowser(folder);
  try {
    await take(browser, picture);
  } finally {
    await browser.stop();
  }
}
rmSync(folder, { recursive: true, force: true });
