// Which properties of a template apply, and which choices decide it.
//
// Mirrors the modeler's rules, so that a check can tell what the panel has to show; every
// check compares the two, so a wrong rule here fails loudly.

/** What the modeler shows by type; Hidden ones never have a field. */
export const isField = (property) => property.type !== 'Hidden';

/** The name a fixture knows a property by: what it is bound to. */
export function boundTo({ binding }) {
  switch (binding.type) {
    case 'bpmn:Message#property': return `message.${binding.name}`;
    case 'bpmn:Signal#property': return `signal.${binding.name}`;
    case 'zeebe:taskDefinition': return binding.property;
    case 'zeebe:output': return `output.${binding.source}`;
    default: return binding.name ?? binding.key ?? binding.property;
  }
}

const parts = (condition) => condition.allMatch ?? [condition];

/** The ids that a property's condition asks for. */
export const askedBy = (property) =>
  property.condition ? parts(property.condition).map((part) => part.property) : [];

/**
 * The properties that apply once `chosen` (id -> value) is chosen, in the template's order;
 * what is not chosen has its default.
 */
export function applicable(template, chosen) {
  const activeOf = (id, asking) =>
    template.properties.find((property) => property.id === id && applies(property, [...asking, id]));
  const holds = (part, asking) => {
    // What asks for itself in the end is decided by the other parts of its condition.
    if (asking.includes(part.property)) return true;
    const active = activeOf(part.property, asking);
    if ('isActive' in part) return Boolean(active) === part.isActive;
    const value = active && (isField(active) && part.property in chosen ? chosen[part.property] : active.value);
    return 'equals' in part ? value === part.equals : part.oneOf.includes(value);
  };
  const applies = (property, asking = []) =>
    !property.condition || parts(property.condition).every((part) => holds(part, asking));
  return template.properties.filter((property) => applies(property));
}

const valuesOf = (property) => {
  if (property.type === 'Dropdown') return property.choices.map((choice) => choice.value);
  if (property.type === 'Boolean') return [false, true];
  return [];
};

/** Fields with choices that some condition asks for, each with all its values. */
export function controllers(template) {
  const asked = new Set(template.properties.flatMap(askedBy));
  const ids = [...new Set(template.properties.filter(isField).map(({ id }) => id))];
  return ids
    .filter((id) => asked.has(id))
    .map((id) => ({ id, fields: template.properties.filter((p) => p.id === id && isField(p)) }))
    .filter(({ fields }) => fields.some((field) => valuesOf(field).length > 0));
}

/** Sets of controllers that some condition, or a controller's own one, brings together. */
function groupsOf(template) {
  const groups = controllers(template).map(({ id }) => new Set([id]));
  for (const property of template.properties) {
    const together = [...askedBy(property), ...(property.id ? [property.id] : [])];
    const touched = groups.filter((group) => together.some((id) => group.has(id)));
    for (const other of touched.slice(1)) {
      other.forEach((id) => touched[0].add(id));
      groups.splice(groups.indexOf(other), 1);
    }
  }
  return groups;
}

function combinations(template, ids, chosen = {}) {
  const active = new Set(applicable(template, chosen).filter(isField));
  const next = ids.find((id) => !(id in chosen)
    && template.properties.some((property) => property.id === id && active.has(property)));
  if (next === undefined) return [chosen];
  const field = template.properties.find((p) => p.id === next && active.has(p));
  const values = valuesOf(field);
  if (values.length === 0) return combinations(template, ids.filter((id) => id !== next), chosen);
  return values.flatMap((value) => combinations(template, ids, { ...chosen, [next]: value }));
}

/**
 * Every state of a template: all combinations of choices that decide together; choices
 * that have nothing to do with each other vary one group at a time.
 */
export function states(template) {
  const all = [{}];
  for (const group of groupsOf(template)) all.push(...combinations(template, [...group]));
  const seen = new Set();
  return all.filter((chosen) => {
    const shown = applicable(template, chosen);
    const key = JSON.stringify(shown.map((p) => [template.properties.indexOf(p), chosen[p.id] ?? p.value]));
    return !seen.has(key) && seen.add(key);
  });
}

/** Every state, choices that have nothing to do with each other combined as well. */
export function combined(template) {
  return groupsOf(template).reduce((all, group) => all.flatMap((chosen) => (
    combinations(template, [...group], chosen))), [{}]);
}

/** The id of the panel's entry of a property; the modeler numbers them by place in a group. */
export function entryId(template, shown, property) {
  const known = (group) => (template.groups ?? []).some(({ id }) => id === group);
  const group = known(property.group) ? property.group : undefined;
  const place = shown.filter((p) => (known(p.group) ? p.group : undefined) === group).indexOf(property);
  return ['custom-entry', template.id, ...(group === undefined ? [] : [group]), place].join('-');
}
