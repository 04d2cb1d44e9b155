// Every template in a real properties panel, in every state, empty and filled in; the
// filled ones are linted and left for the end-to-end suite to run.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { bundle, startBrowser } from './lib/browser.js';
import { applicable, boundTo, isField, states } from './lib/conditions.js';
import { placesOf, within } from './lib/diagram.js';
import { APPLIED, current } from './lib/files.js';
import { fillingFor, recordFor } from './lib/fixtures.js';
import { table } from './lib/report.js';
import { breaches, effort, FIELDS_BEFORE_OPTIONAL, GROUPS_TO_OPEN } from './lib/rules.js';
import { fill, nameOf, survey } from './lib/survey.js';

/** Templates looked at side by side, each in a browser of its own. */
const AT_ONCE = 2;
const VERSIONS = ['8.6.0', '8.7.0', '8.8.0'];

const folder = mkdtempSync(join(tmpdir(), 'template-checks-'));
const rows = [];
const manifest = [];
const browsers = [];
const idle = [];

before(async () => {
  rmSync(APPLIED, { recursive: true, force: true });
  mkdirSync(APPLIED, { recursive: true });
  await bundle(folder);
  for (let count = 0; count < AT_ONCE; count += 1) browsers.push(await startBrowser(folder));
  idle.push(...browsers);
});

after(async () => {
  await Promise.all(browsers.map((browser) => browser.stop()));
  rmSync(folder, { recursive: true, force: true });
  manifest.sort((a, b) => a.process.localeCompare(b.process));
  writeFileSync(join(APPLIED, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  console.log(table(rows.sort((a, b) => a.name.localeCompare(b.name))));
});

/** What the properties of a state are worth, by what they are bound to. */
const inputsOf = (template, chosen, filled = {}) => Object.fromEntries(applicable(template, chosen)
  .map((property) => [boundTo(property), filled[boundTo(property)] ?? chosen[property.id] ?? property.value ?? '']));

/** Fills a state, lints it, and leaves the diagram for the end-to-end suite. */
async function apply(browser, name, template, chosen, place) {
  const state = [...placesOf(template).slice(1).map(() => place), nameOf(chosen)].join('-');
  const process = `${name}-${state}`;
  const here = within(template, place);
  const filling = fillingFor(name, inputsOf(here, chosen));
  const { filled, red } = await fill(browser.call, template, { chosen, place, processId: process, ...filling });
  const findings = (await browser.call('lint', VERSIONS)).map(({ version, rule, message }) => `${version} ${rule}: ${message}`);
  const file = `${process}.bpmn`;
  writeFileSync(join(APPLIED, file), await browser.call('save'));
  manifest.push({ template: name, process, file, place, record: recordFor(name), inputs: inputsOf(here, chosen, filled) });
  return [...red.map((field) => `red although filled: ${field}`), ...findings].map((finding) => `${state}: ${finding}`);
}

async function applyAll(browser, name, template) {
  const linted = [];
  for (const place of placesOf(template)) {
    for (const chosen of states(template)) linted.push(...await apply(browser, name, template, chosen, place));
  }
  return linted;
}

function note(name, template, seen, linted) {
  const counts = (find) => seen.states.map(({ fields }) => fields.filter(find).length);
  rows.push({
    name, template, linted: linted.length === 0 ? 'clean' : `${linted.length}!`,
    fields: template.properties.filter(isField), states: seen.states.length,
    applied: manifest.filter(({ template: other }) => other === name).length,
    dead: seen.dead.length, stuck: seen.stuck.length, red: counts(({ error }) => error), shown: counts(() => true),
    tallest: Math.max(...seen.states.map(({ height }) => height)), effort: effort(seen, {}),
  });
}

async function check(browser, name, template) {
  const seen = await survey(browser.call, template);
  const linted = seen.states ? await applyAll(browser, name, template) : [];
  if (seen.states) {
    note(name, template, seen, linted);
  }
  const complaints = browser.complaints.splice(0).map((text) => `the panel logs: ${text}`);
  assert.deepEqual([...breaches(seen, template), ...linted, ...complaints], []);
}

describe('in the properties panel', { concurrency: AT_ONCE }, () => {
  for (const { name, template } of current()) {
    test(`${name} keeps the rules in every state`, async () => {
      const browser = idle.pop();
      try {
        await check(browser, name, template);
      } finally {
        idle.push(browser);
      }
    });
  }
});

test('creating an incident takes few fields and few groups', () => {
  const creating = rows.filter(({ name }) => /incident|^servicenow-record$/.test(name));
  const slow = creating.filter(({ effort: { fields, groups } }) => fields > FIELDS_BEFORE_OPTIONAL || groups > GROUPS_TO_OPEN);
  assert.deepEqual(slow.map(({ name, effort: found }) => [name, found]), []);
});
