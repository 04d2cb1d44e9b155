// What is typed into required fields.

import { readFileSync } from 'node:fs';

const { values, states, templates, records } = JSON.parse(readFileSync(new URL('../fixtures.json', import.meta.url)));

const fits = (when, inputs) => Object.entries(when).every(([name, value]) => inputs[name] === value);

/**
 * What to fill in for a template in a state: values by what a field is bound to, and the
 * fields that take one although they are not required.
 */
export function fillingFor(name, inputs) {
  const fitting = states.filter(({ when }) => fits(when, inputs));
  return {
    values: Object.assign({}, values, ...fitting.map((state) => state.values), templates[name]),
    more: fitting.flatMap((state) => state.more ?? []),
  };
}

/** What the record that a template works on has to be like before. */
export const recordFor = (name) => records[name] ?? {};
