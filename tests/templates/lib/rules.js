// What a template's panel has to be like; each rule gives the breaches it finds.

import { boundTo, isField } from './conditions.js';

/** No state of a panel with everything open may be taller, in pixels. */
export const TALLEST = 2300;

/** A person who creates an incident has no more fields before the optional groups, and ... */
export const FIELDS_BEFORE_OPTIONAL = 8;
/** ... opens no more groups. */
export const GROUPS_TO_OPEN = 2;

// Of each of these sets one has to be filled for the operation to make sense.
const NEEDED = {
  create: [],
  get: [['sysId', 'number']],
  update: [['sysId', 'number']],
  delete: [['sysId', 'number']],
  upsert: [['matchOn']],
  find: [['query']],
  count: [['query']],
};

// Texts that may stand in a field before anybody has typed: plumbing, never a record's data.
const DEFAULTS = ['connection', 'resultVariable', 'retries', 'retryBackoff', 'jobTimeout', 'limit'];

// What the engine and the worker need to know rather than the modeler; it says itself.
const PLUMBING = ['resultExpression', 'errorExpression', 'bpmnErrors', 'retries', 'retryBackoff', 'jobTimeout'];

const CREDENTIAL = /(password|secret|token|key|clientId|username)$/i;
const SECRET = /\{\{secrets\.[A-Z_]+\}\}/;

const all = (survey) => survey.states.flatMap(({ chosen, fields }) => fields.map((field) => ({ chosen, ...field })));
const named = ({ property }) => `'${property.label}'`;
const once = (texts) => [...new Set(texts)];

const rules = {
  'is applied without complaint': ({ opened }) => [
    ...(opened.applied ? [] : ['cannot be applied']), ...opened.refused, ...opened.warnings],

  'shows what its conditions say': (survey) => once(survey.states.flatMap(({ strange }) => strange)),

  'opens its first group, with what decides and the table in it': (survey, template) => {
    const [group] = survey.first;
    if (!group?.open) return [`the first group '${group?.label}' is closed`];
    const inside = (name) => template.properties.find((property) => boundTo(property) === name);
    const outside = ['operation', 'table', 'message.name', 'signal.name', 'path'].map(inside)
      .filter((property) => property && isField(property) && property.group !== group.id);
    return outside.map((property) => `'${property.label}' is not in the first group '${group.label}'`);
  },

  'has no dead field': ({ dead }) => dead.map(({ label }) => `'${label}' is visible in no state`),

  'has no sample data as a value': (_, template) => template.properties
    .filter((property) => isField(property) && property.type !== 'Dropdown' && property.type !== 'Boolean')
    .filter((property) => !/^=\w+(\.\w+)?$|^(=\{\})?$/.test(property.value ?? '') && !DEFAULTS.includes(boundTo(property)))
    .filter((property) => !['bpmn:Message#property', 'bpmn:Signal#property', 'zeebe:output'].includes(property.binding.type))
    .map((property) => `'${property.label}' starts with '${property.value}'`),

  'turns no text into an expression': ({ stuck }) => stuck,

  'gives each field a place of its own': ({ shared }) => shared.map((labels) => `one place for ${labels}`),

  'explains every field that is the modeler\'s': (survey) => once(all(survey)
    .filter(({ help, placeholder, name }) => !help && !placeholder && !PLUMBING.includes(name)).map(named)),

  'names secrets at every credential': (survey) => once(all(survey)
    .filter(({ name }) => name.startsWith('authentication.') && CREDENTIAL.test(name))
    .filter(({ help, placeholder }) => !SECRET.test(help) && !SECRET.test(placeholder))
    .map(named)),

  'marks what an operation needs': (survey, template) => once(survey.states.flatMap(({ chosen, fields }) => {
    const operation = chosen.operation
      ?? template.properties.find((property) => boundTo(property) === 'operation')?.value;
    return (NEEDED[operation] ?? []).filter((names) => !fields.some(({ name, error }) => error && names.includes(name)))
      .map((names) => `${operation} passes without ${names.join(' or ')}`);
  })),

  'marks nothing that may stay empty': (survey) => once(all(survey)
    .filter(({ error, property }) => error && !property.constraints?.notEmpty).map(named)),

  'is never too tall': (survey) => survey.states.filter(({ height }) => height > TALLEST)
    .map(({ chosen, height }) => `${height} px at ${JSON.stringify(chosen)}`),
};

/** Every breach of a template, each as one line. */
export const breaches = (survey, template) => Object.entries(rules).flatMap(([rule, find]) => {
  if (!survey.states && rule !== 'is applied without complaint') return [];
  return find(survey, template).map((finding) => `${rule}: ${finding}`);
});

/**
 * What a person meets who creates an incident: fields in the groups before the first
 * optional one, and groups that have to be opened since they are closed and needed.
 */
export function effort(survey, chosen) {
  const wanted = JSON.stringify(chosen);
  const state = survey.states.find((candidate) => JSON.stringify(candidate.chosen) === wanted) ?? survey.states[0];
  const isOpen = (id) => survey.first.find((group) => group.id === id)?.open ?? false;
  const isRed = (id) => state.fields.some(({ property, error }) => property.group === id && error);
  const ids = state.groups.map(({ id }) => id);
  const optional = ids.findIndex((id) => !isOpen(id) && !isRed(id));
  const before = ids.slice(0, optional < 0 ? ids.length : optional);
  return {
    fields: state.fields.filter(({ property }) => before.includes(property.group)).length,
    groups: ids.filter((id) => !isOpen(id) && isRed(id)).length,
  };
}
