// Looks at one template in the panel, in every state, and writes down what is there.

import { applicable, boundTo, combined, controllers, entryId, isField, states } from './conditions.js';
import { diagram, within } from './diagram.js';

const PREFIX = 'ElementTemplates__CustomProperties-';

const fieldsOf = (template, chosen) => {
  const shown = applicable(template, chosen);
  return shown.filter(isField).map((property) => ({ property, id: entryId(template, shown, property) }));
};

/** Makes the choices that apply, given those made `before`. */
async function choose(call, template, chosen, before = {}) {
  for (const { id } of controllers(template)) {
    const field = fieldsOf(template, chosen).find(({ property }) => property.id === id);
    const wasThere = fieldsOf(template, before).some(({ property }) => property === field?.property);
    const value = (choices) => choices[id] ?? field.property.value ?? '';
    if (field && !(wasThere && value(before) === value(chosen))) await call('put', field.id, value(chosen));
  }
}

/** The template's fields as the panel shows them, each with its property. */
async function look(call, template, chosen) {
  const groups = await call('read');
  const entries = groups.flatMap((group) => group.entries.map((entry) => ({ ...entry, group })));
  const expected = fieldsOf(template, chosen);
  const drawn = entries.filter(({ id }) => id.startsWith('custom-entry-'));
  const strange = [
    ...drawn.filter(({ id }) => !expected.some((field) => field.id === id)).map(({ label }) => `unexpected field '${label}'`),
    ...expected.filter(({ id, property }) => !drawn.some((entry) => entry.id === id && entry.label === property.label))
      .map(({ property }) => `field '${property.label}' is not where it should be`),
  ];
  const fields = expected.flatMap(({ property, id }) => {
    const entry = drawn.find((candidate) => candidate.id === id);
    return entry ? [{ ...entry, property, name: boundTo(property) }] : [];
  });
  return { groups, fields, strange };
}

/** Which groups of the template the panel shows, in order. */
const ownGroups = (groups) => groups.filter(({ id }) => id.includes(PREFIX))
  .map((group) => ({ ...group, id: group.id.slice(group.id.indexOf(PREFIX) + PREFIX.length) }));

async function lookAtStates(call, template) {
  const seen = [];
  let before = {};
  for (const chosen of combined(template)) {
    await choose(call, template, chosen, before);
    await call('openGroups');
    before = chosen;
    const { groups, fields, strange } = await look(call, template, chosen);
    seen.push({ chosen, fields, strange, groups: ownGroups(groups), height: await call('height') });
  }
  return seen;
}

/** The order that meets every change from one value to another once, back and forth. */
function* changes(values) {
  for (let i = 0; i < values.length; i += 1) {
    for (let j = i + 1; j < values.length; j += 1) {
      yield values[i];
      yield values[j];
      yield values[i];
    }
  }
}

const mayBeFeel = ({ property }) =>
  property.feel === 'required' || String(property.value ?? '').startsWith('=');

/** Fields that turn into expressions when choices go back and forth. */
async function switchAround(call, template) {
  const stuck = new Set();
  let before = {};
  await call('open', template, diagram(template, 'survey'));
  for (const { id, fields: [field] } of controllers(template)) {
    const values = field.choices?.map(({ value }) => value) ?? [];
    for (const value of changes(values)) {
      const chosen = { ...reaching(template, id), [id]: value };
      await choose(call, template, chosen, before);
      before = chosen;
      const { fields } = await look(call, template, chosen);
      for (const found of fields.filter((f) => f.feel && !mayBeFeel(f))) {
        stuck.add(`'${found.property.label}' at ${id} = ${value}`);
      }
    }
  }
  return [...stuck];
}

/**
 * Different fields that come up in the same place: the panel takes them for one field, and
 * an expression in the one makes an expression of the other.
 */
function sharedPlaces(template) {
  const places = new Map();
  for (const chosen of states(template)) {
    for (const { id, property } of fieldsOf(template, chosen)) {
      places.set(id, (places.get(id) ?? new Set()).add(property));
    }
  }
  const shared = [...places.values()].map((all) => [...all].filter(({ feel }) => feel));
  return shared.filter((all) => new Set(all.map(boundTo)).size > 1).map((all) => all.map(({ label }) => `'${label}'`).join(' and '));
}

/** The choices that bring a controller's field up. */
function reaching(template, id) {
  const here = (chosen) => fieldsOf(template, chosen).some(({ property }) => property.id === id);
  return states(template).find(here) ?? {};
}

/** Tells everything about a template that can be seen without filling it in. */
export async function survey(call, template) {
  const opened = await call('open', template, diagram(template, 'survey'));
  if (!opened.applied) return { opened };
  const first = ownGroups((await look(call, template, {})).groups);
  const seen = await lookAtStates(call, template);
  const visible = new Set(seen.flatMap(({ fields }) => fields.map(({ property }) => property)));
  return {
    opened,
    first,
    states: seen,
    dead: template.properties.filter((property) => isField(property) && !visible.has(property)),
    shared: sharedPlaces(template),
    stuck: await switchAround(call, template),
  };
}

/** What a state is called: the values chosen in it. */
export const nameOf = (chosen) =>
  Object.values(chosen).join('-').replaceAll(/[^A-Za-z0-9]+/g, '-').replace(/^-$/, '') || 'default';

/**
 * Fills in what is red and nothing else, as the least careful modeler would; `values` gives
 * a value by binding, `more` fields that are filled although they need not be. Fields in closed
 * groups cannot be reached, so all groups are opened first, unless that is not wanted.
 */
export async function fill(call, template, { chosen, place, processId, values, more = [], openAll = true }) {
  await call('open', template, diagram(template, processId, place));
  const here = within(template, place);
  await choose(call, here, chosen);
  const filled = {};
  for (let round = 0; round < 3; round += 1) {
    if (openAll) await call('openGroups');
    const { fields } = await look(call, here, chosen);
    const open = fields.filter(({ name, error }) => !(name in filled) && name in values && (error || more.includes(name)));
    if (open.length === 0) break;
    for (const { id, name } of open) {
      filled[name] = values[name];
      await call('put', id, values[name]);
    }
  }
  const { fields } = await look(call, here, chosen);
  return { filled, red: fields.filter(({ error }) => error).map(({ name, error }) => `${name}: ${error}`) };
}
