// What is typed into required fields.

import { readFileSync } from 'node:fs';

const { values, states, templates, records } = JSON.parse(readFileSync(new URL('../fixtures.json', import.meta.url)));

const fits = (when, inputs) => Object.entries(when).every(([name, value]) => inputs[name] === value);

/** The values for a template in a state, by what a field is bound to. */
export const valuesFor = (name, inputs) => Object.assign({}, values,
  ...states.filter(({ when }) => fits(when, inputs)).map((state) => state.values), templates[name] ?? {});

/** What the record that a template works on has to be like before. */
export const recordFor = (name) => records[name] ?? {};
