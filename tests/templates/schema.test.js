// Every template file, old ones too, against the published schema.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { validateZeebe } from '@bpmn-io/element-templates-validator';
import Ajv from 'ajv';
import { everyFile } from './lib/files.js';

const require = createRequire(import.meta.url);
const schema = require('@camunda/zeebe-element-templates-json-schema/resources/schema.json');
const matches = new Ajv({ allErrors: true, strict: false }).compile(schema);

/** What the validator advises against and we do all the same. */
function isAccepted({ keyword, message, schemaPath, instancePath }, template) {
  if (keyword !== 'deprecated') return false;
  // 8.6 and 8.7 need what 8.8 advises against: an optional input is left out when empty.
  if (message.startsWith("'optional'")) return true;
  // The advice is for values without '='; the validator gives it to those with it as well.
  const [, place] = /^\/properties\/(\d+)\/value$/.exec(instancePath) ?? [];
  return schemaPath.endsWith('/value/oneOf/1/deprecated') && template.properties[place].value.startsWith('=');
}

for (const { name, template } of everyFile()) {
  test(`${name} is a valid element template`, () => {
    const { errors, warnings } = validateZeebe(template);
    assert.deepEqual(errors ?? [], []);
    assert.deepEqual((warnings ?? []).filter((warning) => !isAccepted(warning, template)), []);
    matches(template);
    assert.deepEqual(matches.errors ?? [], []);
  });
}

test('no two current templates have the same id and version', () => {
  const ids = everyFile().map(({ template }) => `${template.id} ${template.version}`);
  assert.deepEqual(ids.filter((id, place) => ids.indexOf(id) !== place), []);
});
