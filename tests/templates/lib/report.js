// The figures of all templates, as a table.

const columns = [
  ['template', (row) => row.name],
  ['properties', (row) => row.template.properties.length],
  ['fields', (row) => row.fields.length],
  ['states', (row) => row.states],
  ['applied', (row) => row.applied],
  ['linted', (row) => row.linted],
  ['dead', (row) => row.dead],
  ['stuck', (row) => row.stuck],
  ['red', (row) => range(row.red)],
  ['shown', (row) => range(row.shown)],
  ['tallest', (row) => `${row.tallest} px`],
  ['before optional', (row) => row.effort.fields],
  ['to open', (row) => row.effort.groups],
];

const range = (numbers) => {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return least === most ? `${least}` : `${least}-${most}`;
};

const sum = (rows, find) => rows.reduce((total, row) => total + find(row), 0);

/** The table, with a line of totals. */
export function table(rows) {
  const lines = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, find]) => `${find(row)}`))];
  const widths = columns.map((_, place) => Math.max(...lines.map((line) => line[place].length)));
  const draw = (line) => line.map((cell, place) => (place ? cell.padStart(widths[place]) : cell.padEnd(widths[0]))).join('  ');
  const totals = `${rows.length} templates, ${sum(rows, (row) => row.template.properties.length)} properties, `
    + `${sum(rows, (row) => row.states)} states, ${sum(rows, (row) => row.applied)} applied`;
  return [...lines.map(draw), totals].join('\n');
}
